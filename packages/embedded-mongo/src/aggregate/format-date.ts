import { MongoError } from '../errors.js';
import { dayOfYear, isoDayOfWeek, isoWeek, isoWeekYear, sundayWeek } from './calendar.js';

function padded(n: number, width: number): string {
  return String(n).padStart(width, '0');
}

function year(n: number): string {
  if (n < 0 || n > 9999) {
    throw new MongoError(
      18537,
      `Could not convert date to string: date component was outside the supported range of 0-9999: ${n}`,
    );
  }
  return padded(n, 4);
}

function offset(minutes: number): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${padded(Math.floor(size / 60), 2)}${padded(size % 60, 2)}`;
}

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const SPECIFIERS: Readonly<Record<string, (wall: Date, minutes: number) => string>> = {
  d: (wall) => padded(wall.getUTCDate(), 2),
  G: (wall) => year(isoWeekYear(wall)),
  H: (wall) => padded(wall.getUTCHours(), 2),
  j: (wall) => padded(dayOfYear(wall), 3),
  L: (wall) => padded(wall.getUTCMilliseconds(), 3),
  m: (wall) => padded(wall.getUTCMonth() + 1, 2),
  M: (wall) => padded(wall.getUTCMinutes(), 2),
  S: (wall) => padded(wall.getUTCSeconds(), 2),
  w: (wall) => String(wall.getUTCDay() + 1),
  u: (wall) => String(isoDayOfWeek(wall)),
  U: (wall) => padded(sundayWeek(wall), 2),
  V: (wall) => padded(isoWeek(wall), 2),
  Y: (wall) => year(wall.getUTCFullYear()),
  z: (_wall, minutes) => offset(minutes),
  Z: (_wall, minutes) => String(minutes),
  b: (wall) => (MONTHS[wall.getUTCMonth()] ?? '').slice(0, 3),
  B: (wall) => MONTHS[wall.getUTCMonth()] ?? '',
  '%': () => '%',
};

/** A wall clock by `$dateToString`'s format. Throws 18535 and 18536 for a bad format, 18537 for years beyond 0 to 9999. */
export function formatDate(format: string, wall: Date, offsetMinutes: number): string {
  return format.replaceAll(/%(.?)/gsu, (_whole, letter: string) => {
    if (letter === '') throw new MongoError(18535, "Unmatched '%' at end of format string");
    const specifier = Object.hasOwn(SPECIFIERS, letter) ? SPECIFIERS[letter] : undefined;
    if (!specifier) throw new MongoError(18536, `Invalid format character '%${letter}' in format string`);
    return specifier(wall, offsetMinutes);
  });
}
