import { ErrorCode, MongoError } from '../errors.js';
import type { RegexNode } from './regex-parse.js';
import { compileProgram, holds, type Instruction } from './regex-program.js';

/** Steps that one match may take, some tenths of a second; the work is at most length of text × length of program. */
export const MAX_STEPS = 20_000_000;

/** A match: where it begins and ends, and then each group; undefined where a group took no part. */
export type Positions = readonly (number | undefined)[];
/** The first match at or after a position of the text. */
export type TextSearch = (text: string, from: number) => Positions | undefined;

export function matchLimitExceeded(): MongoError {
  return new MongoError(51156, 'Error occurred while executing regular expression: match limit exceeded');
}

/** Throws NotImplemented (238) where what is repeated may match nothing: engines differ in where they end then. */
export function searchOf(node: RegexNode, groups: number): TextSearch {
  if (hasEmptyLoop(node)) {
    throw new MongoError(
      ErrorCode.NotImplemented,
      'Regular expression is not supported: the position of a repetition of what may match nothing',
    );
  }
  const whole: RegexNode = { kind: 'group', index: 0, node };
  const program = compileProgram(whole, true);
  return (text, from) => new Search(program, text, groups).first(from);
}

function hasEmptyLoop(node: RegexNode): boolean {
  switch (node.kind) {
    case 'sequence':
    case 'choice':
      return node.nodes.some(hasEmptyLoop);
    case 'group':
      return hasEmptyLoop(node.node);
    case 'repeat':
      return hasEmptyLoop(node.node) || mayBeEmpty(node.node);
    default:
      return false;
  }
}

function mayBeEmpty(node: RegexNode): boolean {
  switch (node.kind) {
    case 'sequence':
      return node.nodes.every(mayBeEmpty);
    case 'choice':
      return node.nodes.some(mayBeEmpty);
    case 'group':
      return mayBeEmpty(node.node);
    case 'repeat':
      return node.min === 0 || mayBeEmpty(node.node);
    default:
      return node.kind === 'assert';
  }
}

interface Thread {
  readonly at: number;
  readonly saved: Positions;
}

/** All threads go through the text side by side, in the order in which a backtracking engine would try them. */
class Search {
  private readonly seen: Int32Array;
  private readonly unset: Positions;
  private current: Thread[] = [];
  private steps = 0;

  constructor(
    private readonly program: readonly Instruction[],
    private readonly text: string,
    groups: number,
  ) {
    this.seen = new Int32Array(program.length).fill(-1);
    this.unset = Array.from({ length: 2 * (groups + 1) }, () => undefined);
  }

  first(from: number): Positions | undefined {
    let best: Positions | undefined;
    for (let pos = from; ;) {
      // What begins later comes after what began before.
      if (!best) best = this.follow({ at: 0, saved: this.unset }, pos);
      const code = this.text.codePointAt(pos);
      if (code === undefined || (best && this.current.length === 0)) return best;
      pos += code > 0xffff ? 2 : 1;
      best = this.step(code, pos) ?? best;
    }
  }

  /** Takes a character; a thread that ends the program cuts off those that come after it. */
  private step(code: number, next: number): Positions | undefined {
    const threads = this.current;
    this.current = [];
    for (const { at, saved } of threads) {
      const instruction = this.program[at];
      if (instruction?.op !== 'char' || !instruction.test(code)) continue;
      const match = this.follow({ at: at + 1, saved }, next);
      if (match) return match;
    }
    return undefined;
  }

  /** Follows everything that consumes no character; what comes before a match in order stays among the threads. */
  private follow(start: Thread, pos: number): Positions | undefined {
    const pending = [start];
    for (let thread = pending.pop(); thread; thread = pending.pop()) {
      const { at, saved } = thread;
      const instruction = this.program[at];
      if (instruction === undefined || this.seen[at] === pos) continue;
      this.seen[at] = pos;
      this.steps += instruction.op === 'save' ? saved.length : 1;
      if (this.steps > MAX_STEPS) throw matchLimitExceeded();
      if (instruction.op === 'match') return saved;
      if (instruction.op === 'char') this.current.push(thread);
      else if (instruction.op === 'split')
        pending.push({ at: instruction.b, saved }, { at: instruction.a, saved });
      else if (instruction.op === 'save')
        pending.push({ at: at + 1, saved: saved.with(instruction.slot, pos) });
      else if (holds(instruction.at, this.text, pos)) pending.push({ at: at + 1, saved });
    }
    return undefined;
  }
}
