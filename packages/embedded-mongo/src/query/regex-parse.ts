import { ErrorCode, MongoError } from '../errors.js';
import { escapedSet, parseClass } from './regex-class.js';
import { invalidRegex, PatternReader } from './regex-reader.js';

export type CharTest = (codePoint: number) => boolean;

export type RegexNode =
  | { readonly kind: 'char'; readonly code: number; readonly ignoreCase: boolean }
  | { readonly kind: 'set'; readonly test: CharTest }
  | { readonly kind: 'assert'; readonly at: Assertion }
  | { readonly kind: 'sequence'; readonly nodes: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly RegexNode[] }
  | { readonly kind: 'group'; readonly index: number; readonly node: RegexNode }
  | {
      readonly kind: 'repeat';
      readonly node: RegexNode;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
    };

export type Assertion =
  'start' | 'end' | 'endOrNewline' | 'lineStart' | 'lineEnd' | 'wordEdge' | 'notWordEdge';

export interface RegexFlags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly extended: boolean;
}

const MAX_REPEAT = 1000;
const MAX_GROUP_DEPTH = 100;
const NEWLINE = 0x0a;

/**
 * Parses the part of PCRE's syntax that describes regular languages. What cannot be matched in linear time
 * (back references, look-around, atomic and possessive groups) is refused with NotImplemented (238), errors in the
 * pattern with 51091.
 */
export function parseRegex(pattern: string, flags: RegexFlags): { node: RegexNode; groups: number } {
  const reader = new PatternReader(pattern);
  const node = parseChoice(reader, { flags }, 0);
  if (!reader.done) throw invalidRegex('unmatched closing parenthesis');
  return { node, groups: reader.groups };
}

/** Flags hold until the end of the group in which `(?i)` and the like set them. */
interface Scope {
  flags: RegexFlags;
}

function parseChoice(reader: PatternReader, scope: Scope, depth: number): RegexNode {
  if (depth > MAX_GROUP_DEPTH) throw invalidRegex('parentheses are too deeply nested');
  const branches = [parseSequence(reader, scope, depth)];
  while (reader.eat('|')) branches.push(parseSequence(reader, scope, depth));
  const [only] = branches;
  return only !== undefined && branches.length === 1 ? only : { kind: 'choice', nodes: branches };
}

function parseSequence(reader: PatternReader, scope: Scope, depth: number): RegexNode {
  const nodes: RegexNode[] = [];
  for (;;) {
    if (scope.flags.extended) reader.skipBlanksAndComments();
    if (reader.done || reader.peek('|') || reader.peek(')')) return { kind: 'sequence', nodes };
    const node = parseAtom(reader, scope, depth);
    if (node === undefined) continue;
    if (scope.flags.extended) reader.skipBlanksAndComments();
    nodes.push(parseQuantifier(reader, node));
  }
}

function parseAtom(reader: PatternReader, scope: Scope, depth: number): RegexNode | undefined {
  const { flags } = scope;
  const char = reader.next();
  switch (char) {
    case '.':
      return { kind: 'set', test: flags.dotAll ? () => true : (code) => code !== NEWLINE };
    case '^':
      return { kind: 'assert', at: flags.multiline ? 'lineStart' : 'start' };
    case '$':
      return { kind: 'assert', at: flags.multiline ? 'lineEnd' : 'endOrNewline' };
    case '[':
      return { kind: 'set', test: parseClass(reader, flags.ignoreCase) };
    case '(':
      return parseGroup(reader, scope, depth);
    case '\\':
      return parseEscape(reader, flags);
    case '*':
    case '+':
    case '?':
      throw invalidRegex('quantifier does not follow a repeatable item');
    default:
      return literal(char, flags);
  }
}

function literal(char: string, flags: RegexFlags): RegexNode {
  return { kind: 'char', code: char.codePointAt(0) ?? 0, ignoreCase: flags.ignoreCase };
}

function parseGroup(reader: PatternReader, scope: Scope, depth: number): RegexNode | undefined {
  let inner: Scope = { flags: scope.flags };
  let isCapturing = true;
  if (reader.peek('*')) throw unsupported('verbs');
  if (reader.eat('?')) {
    if (reader.eat('#')) {
      while (!reader.eat(')')) reader.next();
      return undefined;
    }
    const name = reader.match(/^(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/);
    if (name === undefined) {
      const changed = parseInlineFlags(reader, scope.flags);
      if (changed.endsGroup) {
        scope.flags = changed.flags;
        return undefined;
      }
      inner = { flags: changed.flags };
      isCapturing = false;
    }
  }
  const index = isCapturing ? ++reader.groups : 0;
  const node = parseChoice(reader, inner, depth + 1);
  if (!reader.eat(')')) throw invalidRegex('missing closing parenthesis');
  return isCapturing ? { kind: 'group', index, node } : node;
}

/** After `(?`: flags such as `i-s`, then `:` for a group or `)` for the rest of the enclosing one. */
function parseInlineFlags(
  reader: PatternReader,
  flags: RegexFlags,
): { flags: RegexFlags; endsGroup: boolean } {
  const text = reader.match(/^[imsx]*(?:-[imsx]*)?(?=[:)])/);
  if (text === undefined) throw unsupported('look-around, atomic groups, recursion and conditions');
  const [on = '', off = ''] = text.split('-');
  const value = (letter: string, before: boolean): boolean =>
    !off.includes(letter) && (on.includes(letter) || before);
  const changed = {
    ignoreCase: value('i', flags.ignoreCase),
    multiline: value('m', flags.multiline),
    dotAll: value('s', flags.dotAll),
    extended: value('x', flags.extended),
  };
  return { flags: changed, endsGroup: reader.next() === ')' };
}

const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  A: 'start',
  z: 'end',
  Z: 'endOrNewline',
  b: 'wordEdge',
  B: 'notWordEdge',
};

function parseEscape(reader: PatternReader, flags: RegexFlags): RegexNode {
  const quoted = reader.match(/^Q[\s\S]*?(?:\\E|$)/);
  if (quoted !== undefined) {
    const text = quoted.slice(1).replace(/\\E$/, '');
    return { kind: 'sequence', nodes: Array.from(text, (char) => literal(char, flags)) };
  }
  const set = escapedSet(reader);
  if (set !== undefined) return { kind: 'set', test: set };
  const assertion = reader.match(/^[AzZbB]/);
  if (assertion !== undefined) return { kind: 'assert', at: ASSERTIONS[assertion] ?? 'start' };
  if (reader.match(/^(?:[1-9]|[gkKXCRGE])/) !== undefined)
    throw unsupported('back references, \\R, \\X, \\K and \\G');
  return { kind: 'char', code: reader.escapedCode(), ignoreCase: flags.ignoreCase };
}

function parseQuantifier(reader: PatternReader, atom: RegexNode): RegexNode {
  let node = atom;
  for (;;) {
    const range = parseRange(reader);
    if (range === undefined) return node;
    const lazy = reader.eat('?');
    if (!lazy && reader.peek('+')) throw unsupported('possessive quantifiers');
    node = { kind: 'repeat', node, ...range, lazy };
    if (reader.peek('*') || reader.peek('+') || reader.peek('?')) {
      throw invalidRegex('quantifier does not follow a repeatable item');
    }
  }
}

function parseRange(reader: PatternReader): { min: number; max: number } | undefined {
  if (reader.eat('*')) return { min: 0, max: Infinity };
  if (reader.eat('+')) return { min: 1, max: Infinity };
  if (reader.eat('?')) return { min: 0, max: 1 };
  const text = reader.match(/^\{\d{1,9}(?:,\d{0,9})?\}/);
  if (text === undefined) return undefined;
  const [low = '', high] = text.slice(1, -1).split(',');
  const min = Number(low);
  const max = high === undefined ? min : high === '' ? Infinity : Number(high);
  if (max < min) throw invalidRegex('numbers out of order in {} quantifier');
  if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT)) {
    throw unsupported(`more than ${MAX_REPEAT} counted repetitions`);
  }
  return { min, max };
}

function unsupported(what: string): MongoError {
  return new MongoError(
    ErrorCode.NotImplemented,
    `Regular expression is not supported: ${what} cannot be matched in bounded time`,
  );
}
