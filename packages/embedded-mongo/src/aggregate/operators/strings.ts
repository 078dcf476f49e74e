import { Int32 } from 'bson';
import { compareStrings } from '../../bson/compare.js';
import { isNumber, textOf, type Value } from '../../bson/values.js';
import { MongoError } from '../../errors.js';
import { exactInteger, truncateToLong } from '../../query/numbers.js';
import { REPLACE, TRIM } from '../argument-codes.js';
import { fixed, isAbsent, type Maybe, named, ranged, typeText, variadic } from '../arguments.js';
import type { OperatorTable } from '../scope.js';
import { toText } from '../to-text.js';

/** Throws `code` for what is no string. */
export function requireText(v: Maybe, code: number, message: string): string {
  const text = textOf(v);
  if (text === undefined) throw new MongoError(code, `${message}${typeText(v)}`);
  return text;
}

function concat(values: readonly Maybe[]): Value {
  let result = '';
  for (const value of values) {
    if (isAbsent(value)) return null;
    result += requireText(value, 16702, '$concat only supports strings, not ');
  }
  return result;
}

/** Only ASCII letters change case, as MongoDB documents it. */
function upper(text: string): string {
  return text.replaceAll(/[a-z]+/g, (part) => part.toUpperCase());
}

function lower(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (part) => part.toLowerCase());
}

/** Strings, and what MongoDB takes for one: null and missing are empty. */
function coerced(v: Maybe): string {
  return isAbsent(v) ? '' : (textOf(v) ?? toText(v, 16007));
}

function substrBytes(value: Maybe, start: Maybe, length: Maybe): Maybe {
  const bytes = Buffer.from(coerced(value), 'utf8');
  const from = wholeNumber(start, 16034, 'starting index');
  const count = wholeNumber(length, 16035, 'length');
  if (from < 0) throw new MongoError(50752, '$substrBytes: starting index must be non-negative');
  const to = count < 0 ? bytes.length : Math.min(bytes.length, from + count);
  if (isContinuation(bytes[from])) {
    throw new MongoError(28656, '$substrBytes:  Invalid range, starting index is a UTF-8 continuation byte.');
  }
  if (from < to && isContinuation(bytes[to])) {
    throw new MongoError(
      28657,
      '$substrBytes:  Invalid range, ending index is in the middle of a UTF-8 character.',
    );
  }
  return from >= bytes.length ? '' : bytes.toString('utf8', from, to);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function wholeNumber(v: Maybe, code: number, what: string): number {
  const number = isNumber(v) ? truncateToLong(v) : undefined;
  if (number === undefined) {
    throw new MongoError(code, `$substrBytes:  ${what} must be a numeric type (is BSON type ${typeText(v)})`);
  }
  return Number(number);
}

function substrCP(value: Maybe, start: Maybe, length: Maybe): Maybe {
  const from = exactInteger(start);
  const count = exactInteger(length);
  if (from === undefined)
    throw new MongoError(
      34450,
      `$substrCP: starting index must be a numeric type (is BSON type ${typeText(start)})`,
    );
  if (count === undefined)
    throw new MongoError(
      34452,
      `$substrCP: length must be a numeric type (is BSON type ${typeText(length)})`,
    );
  if (count < 0n) throw new MongoError(34454, '$substrCP: length must be a nonnegative integer.');
  if (from < 0n) throw new MongoError(34455, '$substrCP: the starting index must be nonnegative integer.');
  return Array.from(coerced(value))
    .slice(Number(from), Number(from + count))
    .join('');
}

function split(value: Maybe, separator: Maybe): Maybe {
  if (isAbsent(value) || isAbsent(separator)) return null;
  const text = requireText(
    value,
    40085,
    '$split requires an expression that evaluates to a string as a first argument, found: ',
  );
  const by = requireText(
    separator,
    40086,
    '$split requires an expression that evaluates to a string as a second argument, found: ',
  );
  if (by === '') throw new MongoError(40087, '$split requires a non-empty separator');
  return text.split(by);
}

const WHITESPACE = new Set(
  '\0\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a',
);

function trimming(name: string, left: boolean, right: boolean) {
  return named(name, TRIM, ['input'], ['chars'], (value) => {
    const input = value('input');
    const chars = value('chars');
    if (isAbsent(input) || chars === null) return null;
    const text = requireText(input, 50699, `${name} requires its input to be a string, got `);
    const set =
      chars === undefined
        ? WHITESPACE
        : new Set(requireText(chars, 50700, `${name} requires 'chars' to be a string, got `));
    const points = Array.from(text);
    const isKept = (point: string): boolean => !set.has(point);
    const from = left ? points.findIndex(isKept) : 0;
    if (from < 0) return '';
    const to = right ? points.findLastIndex(isKept) + 1 : points.length;
    return points.slice(from, to).join('');
  });
}

function indexOf(name: string, code: number, unitsOf: (text: string) => readonly (string | number)[]) {
  return ranged(name, 2, 4, ([value, token, start, end]) => {
    if (isAbsent(value)) return null;
    const text = unitsOf(
      requireText(value, code, `${name} requires a string as the first argument, found: `),
    );
    const sought = unitsOf(
      requireText(token, code + 1, `${name} requires a string as the second argument, found: `),
    );
    const from = bound(name, start, 0);
    const to = Math.min(text.length, bound(name, end, text.length));
    for (let i = from; i + sought.length <= to; i++) {
      if (sought.every((unit, k) => text[i + k] === unit)) return new Int32(i);
    }
    return new Int32(-1);
  });
}

function bound(name: string, v: Maybe, otherwise: number): number {
  if (v === undefined) return otherwise;
  const index = exactInteger(v);
  if (index === undefined)
    throw new MongoError(40096, `${name} requires an integral index, found a value of type: ${typeText(v)}`);
  if (index < 0n) throw new MongoError(40097, `${name} requires a nonnegative index, found: ${index}`);
  return Number(index);
}

function replacing(name: string, replace: (text: string, find: string, by: string) => string) {
  return named(name, REPLACE, ['input', 'find', 'replacement'], [], (value) => {
    const parts = ['input', 'find', 'replacement'].map((field, i) => {
      const part = value(field);
      return isAbsent(part)
        ? null
        : requireText(part, 51746 - i, `${name} requires that '${field}' be a string, found: `);
    });
    const [text = null, find = null, by = null] = parts;
    return text === null || find === null || by === null ? null : replace(text, find, by);
  });
}

export const stringOperators: OperatorTable = {
  $concat: variadic(concat),
  $toUpper: fixed('$toUpper', 1, (value) => upper(coerced(value))),
  $toLower: fixed('$toLower', 1, (value) => lower(coerced(value))),
  $substr: fixed('$substrBytes', 3, substrBytes),
  $substrBytes: fixed('$substrBytes', 3, substrBytes),
  $substrCP: fixed('$substrCP', 3, substrCP),
  $strLenBytes: fixed(
    '$strLenBytes',
    1,
    (value) =>
      new Int32(
        Buffer.byteLength(requireText(value, 34473, '$strLenBytes requires a string argument, found: ')),
      ),
  ),
  $strLenCP: fixed(
    '$strLenCP',
    1,
    (value) =>
      new Int32(
        Array.from(requireText(value, 34471, '$strLenCP requires a string argument, found: ')).length,
      ),
  ),
  $strcasecmp: fixed(
    '$strcasecmp',
    2,
    (a, b) => new Int32(Math.sign(compareStrings(upper(coerced(a)), upper(coerced(b))))),
  ),
  $split: fixed('$split', 2, split),
  $trim: trimming('$trim', true, true),
  $ltrim: trimming('$ltrim', true, false),
  $rtrim: trimming('$rtrim', false, true),
  $indexOfBytes: indexOf('$indexOfBytes', 40091, (text) => [...Buffer.from(text)]),
  $indexOfCP: indexOf('$indexOfCP', 40093, (text) => Array.from(text)),
  $replaceOne: replacing('$replaceOne', (text, find, by) => text.replace(find, () => by)),
  $replaceAll: replacing('$replaceAll', (text, find, by) => text.replaceAll(find, () => by)),
};
