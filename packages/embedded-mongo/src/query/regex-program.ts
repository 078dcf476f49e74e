import { fold, isWord } from './regex-class.js';
import type { Assertion, CharTest, RegexNode } from './regex-parse.js';
import { invalidRegex } from './regex-reader.js';

const MAX_INSTRUCTIONS = 5000;

export type Instruction =
  | { readonly op: 'char'; readonly test: CharTest }
  | { readonly op: 'assert'; readonly at: Assertion }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'split'; a: number; b: number }
  | { readonly op: 'match' };

type Split = Extract<Instruction, { op: 'split' }>;

/** Turns the parsed pattern into instructions. The counted work stops `(((){1000}){1000}){1000}`, which emits nothing. */
class Compiler {
  readonly program: Instruction[] = [];
  private work = 0;

  constructor(private readonly captures: boolean) {}

  emit(node: RegexNode): void {
    if (++this.work > 4 * MAX_INSTRUCTIONS || this.program.length > MAX_INSTRUCTIONS) {
      throw invalidRegex('regular expression is too large');
    }
    switch (node.kind) {
      case 'char':
        this.program.push({ op: 'char', test: charTest(node.code, node.ignoreCase) });
        break;
      case 'set':
        this.program.push({ op: 'char', test: node.test });
        break;
      case 'assert':
        this.program.push({ op: 'assert', at: node.at });
        break;
      case 'sequence':
        for (const child of node.nodes) this.emit(child);
        break;
      case 'choice':
        this.emitChoice(node.nodes);
        break;
      case 'group':
        this.save(2 * node.index);
        this.emit(node.node);
        this.save(2 * node.index + 1);
        break;
      default:
        this.emitRepeat(node);
    }
  }

  private save(slot: number): void {
    if (this.captures) this.program.push({ op: 'save', slot });
  }

  private split(): Split {
    const split = { op: 'split' as const, a: this.program.length + 1, b: this.program.length + 1 };
    this.program.push(split);
    return split;
  }

  private emitChoice(nodes: readonly RegexNode[]): void {
    const jumps: Split[] = [];
    for (const [i, node] of nodes.entries()) {
      if (i === nodes.length - 1) {
        this.emit(node);
      } else {
        const split = this.split();
        this.emit(node);
        jumps.push(this.split());
        split.b = this.program.length;
      }
    }
    for (const jump of jumps) jump.a = jump.b = this.program.length;
  }

  private emitRepeat({ node, min, max, lazy }: Extract<RegexNode, { kind: 'repeat' }>): void {
    for (let i = 0; i < min; i++) this.emit(node);
    if (max === Infinity) {
      const start = this.program.length;
      const split = this.split();
      this.emit(node);
      const back = this.split();
      back.a = back.b = start;
      this.leave(split, lazy);
      return;
    }
    const skips: Split[] = [];
    for (let i = min; i < max; i++) {
      skips.push(this.split());
      this.emit(node);
    }
    for (const skip of skips) this.leave(skip, lazy);
  }

  /** Lets a split lead to what comes next, and there first when the repetition is lazy. */
  private leave(split: Split, lazy: boolean): void {
    if (lazy) split.a = this.program.length;
    else split.b = this.program.length;
  }
}

/** Throws 51091 for a pattern that is too large. With `captures` the program notes where groups begin and end. */
export function compileProgram(node: RegexNode, captures = false): Instruction[] {
  const compiler = new Compiler(captures);
  compiler.emit(node);
  compiler.program.push({ op: 'match' });
  return compiler.program;
}

function charTest(code: number, ignoreCase: boolean): CharTest {
  if (!ignoreCase) return (other) => other === code;
  const folded = fold(code);
  return (other) => other === code || fold(other) === folded;
}

/** Whether an assertion is true at a position of the text. */
export function holds(assertion: Assertion, text: string, pos: number): boolean {
  const atEnd = pos === text.length;
  switch (assertion) {
    case 'start':
      return pos === 0;
    case 'end':
      return atEnd;
    case 'endOrNewline':
      return atEnd || (pos === text.length - 1 && text[pos] === '\n');
    case 'lineStart':
      return pos === 0 || (text[pos - 1] === '\n' && !atEnd);
    case 'lineEnd':
      return atEnd || text[pos] === '\n';
    default:
      return isEdge(text, pos) === (assertion === 'wordEdge');
  }
}

function isEdge(text: string, pos: number): boolean {
  const before = pos > 0 && isWord(text.charCodeAt(pos - 1));
  const after = pos < text.length && isWord(text.charCodeAt(pos));
  return before !== after;
}
