import type { BSONRegExp } from 'bson';
import { badValue, MongoError } from '../errors.js';
import { parseRegex, type RegexFlags } from './regex-parse.js';
import { compileProgram, holds, type Instruction } from './regex-program.js';
import { invalidRegex } from './regex-reader.js';
import { MAX_STEPS, matchLimitExceeded, searchOf, type TextSearch } from './regex-search.js';

const MAX_PATTERN_BYTES = 32_764;

export type TextTest = (text: string) => boolean;

/**
 * Compiles a PCRE pattern with the options i, m, s, x (u is implied). Matching simulates a nondeterministic automaton,
 * so the time is linear in the text and no pattern can hang the server.
 * Throws 51091 for an invalid pattern, 51108 for an invalid option, NotImplemented (238) for look-around and the like,
 * and when matching, 51156 if a text needs more than 20 million steps.
 */
export function compileRegex(pattern: string, options: string): TextTest {
  const flags = checkedFlags(pattern, options);
  return literalTest(pattern, flags) ?? automaton(compileProgram(parseRegex(pattern, flags).node));
}

/** The same, for where the matches are. Throws NotImplemented (238) also where what is repeated may match nothing. */
export function compileSearch(pattern: string, options: string): TextSearch {
  const { node, groups } = parseRegex(pattern, checkedFlags(pattern, options));
  return searchOf(node, groups);
}

export function compileBsonRegex(regex: BSONRegExp): TextTest {
  return compileRegex(regex.pattern, regex.options);
}

function checkedFlags(pattern: string, options: string): RegexFlags {
  if (pattern.includes('\0')) throw badValue('Regular expression cannot contain an embedded null byte');
  if (Buffer.byteLength(pattern) > MAX_PATTERN_BYTES) throw invalidRegex('regular expression is too large');
  return parseFlags(options);
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
        throw matchLimitExceeded();
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
      else if (instruction.op === 'assert' && holds(instruction.at, this.text, pos)) pending.push(at + 1);
    }
    return false;
  }
}
