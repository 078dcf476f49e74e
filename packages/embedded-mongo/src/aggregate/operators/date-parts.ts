import { Int32 } from 'bson';
import { isNumber, type Doc, type Value } from '../../bson/values.js';
import { ErrorCode, MongoError } from '../../errors.js';
import { exactInteger } from '../../query/numbers.js';
import { isAbsent, type Maybe, named, namedArguments, typeText } from '../arguments.js';
import { isoDayOfWeek, isoWeek, isoWeekYear } from '../calendar.js';
import type { CompileContext, Expr, OperatorTable } from '../scope.js';
import { wallClock, zoneOffset } from '../time-zone.js';
import { dateFrom, zoneFrom } from '../date-operands.js';

const DAY_MS = 86_400_000;
const CALENDAR = ['year', 'month', 'day'];
const ISO_CALENDAR = ['isoWeekYear', 'isoWeek', 'isoDayOfWeek'];
const CLOCK = ['hour', 'minute', 'second', 'millisecond'];
const MAX_PART = 32_767;

/** Parts beyond their usual range carry over: month 14 is next year's February. */
function dateFromParts(operand: Value, context: CompileContext): Expr {
  const fields = namedArguments(
    '$dateFromParts',
    operand,
    { notAnObject: 40519, unknown: 40518, missing: 40516 },
    [],
    [...CALENDAR, ...ISO_CALENDAR, ...CLOCK, 'timezone'],
  );
  const isIso = ISO_CALENDAR.some((name) => fields.has(name));
  if (isIso && CALENDAR.some((name) => fields.has(name)))
    throw new MongoError(40489, '$dateFromParts does not allow mixing natural dates with ISO dates');
  if (!fields.has(isIso ? 'isoWeekYear' : 'year'))
    throw new MongoError(40516, "$dateFromParts requires either 'year' or 'isoWeekYear' to be present");
  const names = [...(isIso ? ISO_CALENDAR : CALENDAR), ...CLOCK];
  const parts = new Map([...fields].map(([name, spec]) => [name, context.compile(spec)]));
  return (scope) => {
    const zone = zoneFrom(parts.get('timezone')?.(scope), parts.has('timezone'));
    const numbers = names.map((name, i) => {
      const part = parts.get(name);
      return part ? partOf(name, part(scope)) : i < CALENDAR.length ? 1 : 0;
    });
    if (zone === undefined || numbers.includes(null)) return null;
    return inZone(wallTime(numbers.map(Number), isIso), zone);
  };
}

function partOf(name: string, v: Maybe): number | null {
  if (isAbsent(v)) return null;
  const number = isNumber(v) ? exactInteger(v) : undefined;
  if (number === undefined) {
    throw new MongoError(40515, `'${name}' must evaluate to an integer, found ${typeText(v)}`);
  }
  if (name === 'year' || name === 'isoWeekYear') {
    if (number < 1n || number > 9999n) {
      const code = name === 'year' ? 40523 : 31095;
      throw new MongoError(
        code,
        `'${name}' must evaluate to an integer in the range 1 to 9999, found ${number}`,
      );
    }
  } else if (name !== 'second' && name !== 'millisecond' && (number > MAX_PART || number < -MAX_PART - 1)) {
    throw new MongoError(
      31034,
      `'${name}' must evaluate to a value in the range [-32768, 32767]; value ${number}`,
    );
  }
  return Number(number);
}

function wallTime(
  [year = 1, second = 1, third = 1, hour = 0, minute = 0, s = 0, ms = 0]: number[],
  isIso: boolean,
): number {
  const date = new Date(0);
  if (isIso) {
    // The year's first week is the one with its fourth day.
    date.setUTCFullYear(year, 0, 4);
    date.setTime(date.getTime() + ((second - 1) * 7 + third - isoDayOfWeek(date)) * DAY_MS);
  } else {
    date.setUTCFullYear(year, second - 1, third);
  }
  const time = date.getTime() + hour * 3_600_000 + minute * 60_000 + s * 1000 + ms;
  if (Number.isNaN(new Date(time).getTime())) throw new MongoError(ErrorCode.BadValue, 'date overflow');
  return time;
}

/** Throws NotImplemented (238) for a wall clock that a change of the zone's offset leaves out or has twice. */
function inZone(wall: number, zone: string): Date {
  const offsets = new Set([-DAY_MS, DAY_MS].map((step) => zoneOffset(zone, new Date(wall + step))));
  const candidates = [...offsets].filter((offset) => zoneOffset(zone, new Date(wall - offset)) === offset);
  const [offset] = candidates;
  if (offset !== undefined && candidates.length === 1) return new Date(wall - offset);
  throw new MongoError(
    ErrorCode.NotImplemented,
    `$dateFromParts: a wall clock that does not say one time is not supported`,
  );
}

function dateToParts(operand: Value, context: CompileContext): Expr {
  const isZoned = operand instanceof Map && operand.has('timezone');
  const codes = { notAnObject: 40524, unknown: 40520, missing: 40522 };
  return named('$dateToParts', codes, ['date'], ['timezone', 'iso8601'], (value) => {
    const [date, iso, zone] = [value('date'), value('iso8601'), zoneFrom(value('timezone'), isZoned)];
    if (isAbsent(date) || zone === undefined || iso === null) return null;
    if (iso !== undefined && typeof iso !== 'boolean')
      throw new MongoError(40521, `iso8601 must evaluate to a bool, found ${typeText(iso)}`);
    return partsOf(wallClock(dateFrom(date), zone), iso === true);
  })(operand, context);
}

function partsOf(wall: Date, isIso: boolean): Doc {
  const calendar: [string, number][] = isIso
    ? [
        ['isoWeekYear', isoWeekYear(wall)],
        ['isoWeek', isoWeek(wall)],
        ['isoDayOfWeek', isoDayOfWeek(wall)],
      ]
    : [
        ['year', wall.getUTCFullYear()],
        ['month', wall.getUTCMonth() + 1],
        ['day', wall.getUTCDate()],
      ];
  const clock: [string, number][] = [
    ['hour', wall.getUTCHours()],
    ['minute', wall.getUTCMinutes()],
    ['second', wall.getUTCSeconds()],
    ['millisecond', wall.getUTCMilliseconds()],
  ];
  return new Map([...calendar, ...clock].map(([name, number]) => [name, new Int32(number)]));
}

export const datePartsOperators: OperatorTable = {
  $dateFromParts: dateFromParts,
  $dateToParts: dateToParts,
};
