import { invalidRegex, type PatternReader } from './regex-reader.js';

type CharTest = (code: number) => boolean;

const isDigit: CharTest = (code) => code >= 0x30 && code <= 0x39;
const isLower: CharTest = (code) => code >= 0x61 && code <= 0x7a;
const isUpper: CharTest = (code) => code >= 0x41 && code <= 0x5a;
const isAlpha: CharTest = (code) => isLower(code) || isUpper(code);
const isSpace: CharTest = (code) => code === 0x20 || (code >= 9 && code <= 13);
/** PCRE's \w without its Unicode-properties option, which MongoDB does not set: ASCII only. */
export const isWord: CharTest = (code) => isAlpha(code) || isDigit(code) || code === 0x5f;
const isHorizontal: CharTest = (code) =>
  code === 9 ||
  code === 0x20 ||
  code === 0xa0 ||
  code === 0x1680 ||
  code === 0x180e ||
  (code >= 0x2000 && code <= 0x200a) ||
  code === 0x202f ||
  code === 0x205f ||
  code === 0x3000;
const isVertical: CharTest = (code) =>
  (code >= 10 && code <= 13) || code === 0x85 || code === 0x2028 || code === 0x2029;

const not =
  (test: CharTest): CharTest =>
  (code) =>
    !test(code);

const SHORTHANDS: Readonly<Record<string, CharTest>> = {
  d: isDigit,
  D: not(isDigit),
  w: isWord,
  W: not(isWord),
  s: isSpace,
  S: not(isSpace),
  h: isHorizontal,
  H: not(isHorizontal),
  v: isVertical,
  V: not(isVertical),
};

const POSIX: Readonly<Record<string, CharTest>> = {
  alpha: isAlpha,
  digit: isDigit,
  alnum: (code) => isAlpha(code) || isDigit(code),
  upper: isUpper,
  lower: isLower,
  space: isSpace,
  blank: (code) => code === 9 || code === 0x20,
  punct: (code) => code > 0x20 && code < 0x7f && !isAlpha(code) && !isDigit(code),
  xdigit: (code) => isDigit(code) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66),
  word: isWord,
  cntrl: (code) => code < 0x20 || code === 0x7f,
  graph: (code) => code > 0x20 && code < 0x7f,
  print: (code) => code >= 0x20 && code < 0x7f,
  ascii: (code) => code < 0x80,
};

/** All code points that differ from this one only in case, itself included. */
export function caseVariants(code: number): number[] {
  const char = String.fromCodePoint(code);
  const upper = single(char.toUpperCase()) ?? code;
  const variants = [code, upper, single(char.toLowerCase()) ?? code, fold(code)];
  return [...new Set(variants)];
}

/** One code point for all that differ only in case. */
export function fold(code: number): number {
  if (code < 0x80) return isUpper(code) ? code + 32 : code;
  const upper = single(String.fromCodePoint(code).toUpperCase()) ?? code;
  return single(String.fromCodePoint(upper).toLowerCase()) ?? upper;
}

function single(text: string): number | undefined {
  const code = text.codePointAt(0);
  return code !== undefined && text.length === (code > 0xffff ? 2 : 1) ? code : undefined;
}

/** `\d`, `\w`, `\p{L}` and the like after the backslash, or undefined when it is no such escape. */
export function escapedSet(reader: PatternReader): CharTest | undefined {
  const letter = reader.match(/^[dDwWsShHvV]/);
  if (letter !== undefined) return SHORTHANDS[letter];
  if (reader.match(/^N(?!\{)/) !== undefined) return (code) => code !== 10;
  const property = reader.match(/^[pP](?:\{\^?[A-Za-z_&]{1,40}\}|[A-Z])/);
  return property === undefined ? undefined : propertySet(property);
}

function propertySet(text: string): CharTest {
  const name = text.slice(1).replaceAll(/[{}^]/g, '');
  const negated = text.startsWith('P') !== text.includes('^');
  const test = generalCategory(name) ?? generalCategory(`Script=${name}`);
  if (test === undefined) throw invalidRegex(`unknown property after \\P or \\p: ${name}`);
  return negated ? not(test) : test;
}

/** The platform's own expression for one property: it looks at a single code point, so it cannot run long. */
function generalCategory(name: string): CharTest | undefined {
  try {
    const expression = new RegExp(`^\\p{${name}}$`, 'u');
    return (code) => expression.test(String.fromCodePoint(code));
  } catch {
    return undefined;
  }
}

/** A bracketed class, its `[` being already read. */
export function parseClass(reader: PatternReader, ignoreCase: boolean): CharTest {
  const negated = reader.eat('^');
  const tests: CharTest[] = [];
  let first = true;
  while (first || !reader.eat(']')) {
    tests.push(parseClassItem(reader));
    first = false;
  }
  const plain: CharTest = (code) => tests.some((test) => test(code));
  const inClass: CharTest = ignoreCase ? (code) => caseVariants(code).some(plain) : plain;
  return negated ? not(inClass) : inClass;
}

function parseClassItem(reader: PatternReader): CharTest {
  const posix = reader.match(/^\[:\^?[a-z]+:\]/);
  if (posix !== undefined) return posixClass(posix);
  const low = parseClassAtom(reader);
  if (typeof low === 'function') return low;
  if (reader.match(/^-(?!\])/) === undefined) return (code) => code === low;
  const high = parseClassAtom(reader);
  if (typeof high === 'function') return (code) => code === low || code === 0x2d || high(code);
  if (high < low) throw invalidRegex('range out of order in character class');
  return (code) => code >= low && code <= high;
}

function parseClassAtom(reader: PatternReader): CharTest | number {
  if (!reader.eat('\\')) return reader.next().codePointAt(0) ?? 0;
  const set = escapedSet(reader);
  if (set !== undefined) return set;
  return reader.eat('b') ? 8 : reader.escapedCode();
}

function posixClass(text: string): CharTest {
  const name = text.replaceAll(/[^a-z]/g, '');
  const test = POSIX[name];
  if (test === undefined) throw invalidRegex('unknown POSIX class name');
  return text.includes('^') ? not(test) : test;
}
