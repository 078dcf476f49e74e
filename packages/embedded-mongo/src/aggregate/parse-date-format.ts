import { ErrorCode, MongoError } from '../errors.js';

/** The specifiers that are read, and what a text may have for each. */
const PATTERNS: Readonly<Record<string, string>> = {
  Y: '(?<Y>\\d{4})',
  m: '(?<m>\\d{2})',
  d: '(?<d>\\d{2})',
  H: '(?<H>\\d{2})',
  M: '(?<M>\\d{2})',
  S: '(?<S>\\d{2})',
  L: '(?<L>\\d{3})',
  z: '(?<z>[+-]\\d{2}:?\\d{2}|Z)',
  '%': '%',
};
const KNOWN_ELSEWHERE = 'GVujbBZwU';

/**
 * Reads a text by `$dateFromString`'s format, with each number in all its digits. Throws 18535 and 18536 for a bad format,
 * NotImplemented (238) for specifiers other than %Y %m %d %H %M %S %L %z %%, and what `failure` makes for a text that does
 * not fit.
 */
export function parseDateByFormat(
  text: string,
  format: string,
  failure: (reason: string) => MongoError,
): Date {
  const groups = patternOf(format).exec(text)?.groups;
  if (!groups) throw failure(`Error parsing date string '${text}' by the format '${format}'`);
  const part = (name: string, otherwise: number): number => Number(groups[name] ?? otherwise);
  const [year, month, day] = [part('Y', Number.NaN), part('m', Number.NaN), part('d', Number.NaN)];
  if ([year, month, day].some(Number.isNaN)) {
    throw failure('an incomplete date/time string has been found, with elements missing');
  }
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const [hour, minute, second] = [part('H', 0), part('M', 0), part('S', 0)];
  if (!isReal || hour > 23 || minute > 59 || second > 59)
    throw failure(`Error parsing date string '${text}': The parsed date was invalid`);
  date.setUTCHours(hour, minute, second, part('L', 0));
  return new Date(date.getTime() - offsetMs(groups['z'] ?? 'Z'));
}

/** Whether a text is by the format as far as its digits go; another one MongoDB may read all the same. */
export function fitsFormat(text: string, format: string): boolean {
  return patternOf(format).test(text);
}

function patternOf(format: string): RegExp {
  const seen = new Set<string>();
  const source = format.replaceAll(/%(.?)|[^%]/gsu, (whole, letter: string | undefined) => {
    if (letter === undefined) return whole.replaceAll(/[\\^$.*+?()[\]{}|/]/g, (char) => `\\${char}`);
    if (letter === '') throw new MongoError(18535, "Unmatched '%' at end of format string");
    const pattern = Object.hasOwn(PATTERNS, letter) ? PATTERNS[letter] : undefined;
    if (pattern !== undefined && !seen.has(letter)) {
      if (letter !== '%') seen.add(letter);
      return pattern;
    }
    if (pattern !== undefined || KNOWN_ELSEWHERE.includes(letter)) {
      throw new MongoError(ErrorCode.NotImplemented, `'%${letter}' is not supported here in a date's format`);
    }
    throw new MongoError(18536, `Invalid format character '%${letter}' in format string`);
  });
  return new RegExp(`^${source}$`, 'su');
}

function offsetMs(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}
