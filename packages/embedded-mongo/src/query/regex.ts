import type { BSONRegExp } from 'bson';
import { badValue, MongoError } from '../errors.js';
import { fold, isWord } from './regex-class.js';
import { type Assertion, type CharTest, parseRegex, type RegexFlags, type RegexNode } from './regex-parse.js';
import { invalidRegex } from './regex-reader.js';

const MAX_PATTERN_BYTES = 32_764;
const MAX_INSTRUCTIONS = 5000;
/** Steps that one match may take, some tenths of a second; the work is at most length of text × length of program. */
const MAX_STEPS = 20_000_000;

type Instruction =
  | { readonly op: 'char'; readonly test: CharTest }
  | { readonly op: 'assert'; readonly at: Assertion }
  | { readonly op: 'split'; a: number; b: number }
  | { readonly op: 'match' };

export type TextTest = (text: string) => boolean;

/**
 * Compiles a PCRE pattern with the options i, m, s, x (u is implied). Matching simulates a nondeterministic automaton,
 * so the time is linear in the text and no pattern can hang the server.
 * Throws 51091 for an invalid pattern, 51108 for an invalid option, NotImplemented (238) for look-around and the like,
 * and when matching, 51156 if a text needs more than 20 million steps.
 */
export function compileRegex(pattern: string, options: string): TextTest {
  if (pattern.includes('\0')) throw badValue('Regular expression cannot contain an embedded null byte');
  if (Buffer.byteLength(pattern) > MAX_PATTERN_BYTES) throw invalidRegex('regular expression is too large');
  const flags = parseFlags(options);
  return literalTest(pattern, flags) ?? automaton(compileProgram(parseRegex(pattern, flags)));
}

export function compileBsonRegex(regex: BSONRegExp): TextTest {
  return compileRegex(regex.pattern, regex.options);
}

function parseFlags(options: string): RegexFlags {
  const bad = /[^imsxu]/.exec(options);
  if (bad) throw new MongoError(51108, `invalid flag in regex options: ${bad[0]}`);
  return {
    ignoreCase: options.includes('i'),
    multiline: options.includes('m'),
    dotAll: options.includes('s'),
    extended: options.includes('x'),
  };
}

/** Plain text, perhaps anchored at its start, needs no automaton. */
function literalTest(pattern: string, flags: RegexFlags): TextTest | undefined {
  if (flags.ignoreCase || flags.multiline || flags.extended) return undefined;
  const found = /^(\^?)([^\\^$.|?*+()[\]{}]*)$/.exec(pattern);
  if (!found) return undefined;
  const [, anchor, text = ''] = found;
  return anchor === '^' ? (value) => value.startsWith(text) : (value) => value.includes(text);
}

/** Turns the parsed pattern into instructions. The counted work stops `(((){1000}){1000}){1000}`, which emits nothing. */
class Compiler {
  readonly program: Instruction[] = [];
  private work = 0;

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
      default:
        this.emitRepeat(node.node, node.min, node.max);
    }
  }

  private split(): { op: 'split'; a: number; b: number } {
    const split = { op: 'split' as const, a: this.program.length + 1, b: this.program.length + 1 };
    this.program.push(split);
    return split;
  }

  private emitChoice(nodes: readonly RegexNode[]): void {
    const jumps: { a: number; b: number }[] = [];
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

  private emitRepeat(node: RegexNode, min: number, max: number): void {
    for (let i = 0; i < min; i++) this.emit(node);
    if (max === Infinity) {
      const start = this.program.length;
      const split = this.split();
      this.emit(node);
      const back = this.split();
      back.a = back.b = start;
      split.b = this.program.length;
      return;
    }
    const skips: { b: number }[] = [];
    for (let i = min; i < max; i++) {
      skips.push(this.split());
      this.emit(node);
    }
    for (const skip of skips) skip.b = this.program.length;
  }
}

function compileProgram(node: RegexNode): Instruction[] {
  const compiler = new Compiler();
  compiler.emit(node);
  compiler.program.push({ op: 'match' });
  return compiler.program;
}

function charTest(code: number, ignoreCase: boolean): CharTest {
  if (!ignoreCase) return (other) => other === code;
  const folded = fold(code);
  return (other) => other === code || fold(other) === folded;
}

function automaton(program: readonly Instruction[]): TextTest {
  return (text) => new Run(program, text).matches();
}

/** One text against one program: all threads go through the text side by side. */
class Run {
  private readonly seen: Int32Array;
  private current: number[] = [];
  private steps = 0;
  private readonly anchored: boolean;

  constructor(
    private readonly program: readonly Instruction[],
    private readonly text: string,
  ) {
    this.seen = new Int32Array(program.length).fill(-1);
    const [first] = program;
    this.anchored = first?.op === 'assert' && first.at === 'start';
  }

  matches(): boolean {
    const { text } = this;
    for (let pos = 0; ;) {
      // A new thread at every position: the match may start anywhere.
      if (this.addThread(0, pos)) return true;
      const code = text.codePointAt(pos);
      if (code === undefined || (this.current.length === 0 && this.anchored)) return false;
      const next = pos + (code > 0xffff ? 2 : 1);
      const threads = this.current;
      this.current = [];
      for (const at of threads) {
        const instruction = this.program[at];
        if (instruction?.op === 'char' && instruction.test(code) && this.addThread(at + 1, next)) return true;
      }
      this.steps += threads.length + 1;
      if (this.steps > MAX_STEPS) {
        throw new MongoError(
          51156,
          'Error occurred while executing regular expression: match limit exceeded',
        );
      }
      pos = next;
    }
  }

  /** Follows everything that consumes no character from `start`; true when the end of the program is reached. */
  private addThread(start: number, pos: number): boolean {
    const pending = [start];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      const instruction = this.program[at];
      if (instruction === undefined || this.seen[at] === pos) continue;
      this.seen[at] = pos;
      this.steps++;
      if (instruction.op === 'match') return true;
      if (instruction.op === 'char') this.current.push(at);
      else if (instruction.op === 'split') pending.push(instruction.b, instruction.a);
      else if (holds(instruction.at, this.text, pos)) pending.push(at + 1);
    }
    return false;
  }
}

function holds(assertion: Assertion, text: string, pos: number): boolean {
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
