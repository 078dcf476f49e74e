import { Long } from 'bson';
import { isTagged, isTimestamp, textOf, type Value } from '../../bson/values.js';
import { ErrorCode, MongoError } from '../../errors.js';
import { exactInteger } from '../../query/numbers.js';
import { DATE_ADD, DATE_DIFF, DATE_TRUNC } from '../argument-codes.js';
import { isAbsent, type Maybe, named, typeText } from '../arguments.js';
import type { Operator, OperatorTable } from '../scope.js';

const FIXED_MS: Readonly<Record<string, number>> = {
  week: 7 * 86_400_000,
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
};
const MONTHS: Readonly<Record<string, number>> = { year: 12, quarter: 3, month: 1 };
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
/** `$dateTrunc` counts its bins from here, which is a Saturday. */
const REFERENCE_MS = Date.UTC(2000, 0, 1);
const REFERENCE_WEEKDAY = 6;

function dateOf(name: string, code: number, v: Value): Date {
  if (v instanceof Date) return v;
  if (isTimestamp(v)) return new Date(v.t * 1000);
  if (isTagged(v) && v['_bsontype'] === 'ObjectId') return v.getTimestamp();
  throw new MongoError(code, `${name} requires a date, found ${typeText(v)}`);
}

function unitOf(name: string, v: Value): string {
  const unit = textOf(v);
  if (unit === undefined)
    throw new MongoError(5439013, `${name} requires 'unit' to be a string, found ${typeText(v)}`);
  if (unit in FIXED_MS || unit in MONTHS) return unit;
  throw new MongoError(
    ErrorCode.FailedToParse,
    `${name} parameter 'unit' value cannot be recognized as a time unit: ${unit}`,
  );
}

/** Calendar arithmetic is done in UTC only. */
function requireUtc(name: string, zone: Maybe): void {
  if (zone === undefined || zone === 'UTC' || zone === 'GMT') return;
  throw new MongoError(ErrorCode.NotImplemented, `${name} with a time zone is not supported`);
}

function whole(name: string, v: Value): number {
  const amount = exactInteger(v);
  if (amount === undefined) throw new MongoError(5166405, `${name} expects integer amount of time units`);
  return Number(amount);
}

function shifted(date: Date, unit: string, amount: number): Date {
  const months = MONTHS[unit];
  const ms =
    months === undefined ? date.getTime() + amount * (FIXED_MS[unit] ?? 0) : addMonths(date, amount * months);
  const result = new Date(ms);
  if (Number.isNaN(result.getTime())) throw new MongoError(5976500, 'date overflow');
  return result;
}

/** A day that the month reached does not have becomes its last one. */
function addMonths(date: Date, months: number): number {
  const result = new Date(date);
  result.setUTCDate(1);
  result.setUTCMonth(date.getUTCMonth() + months);
  const lastDay = new Date(result);
  lastDay.setUTCMonth(result.getUTCMonth() + 1, 0);
  result.setUTCDate(Math.min(date.getUTCDate(), lastDay.getUTCDate()));
  return result.getTime();
}

function shifting(name: string, sign: 1 | -1): Operator {
  return named(name, DATE_ADD, ['startDate', 'unit', 'amount'], ['timezone'], (value) => {
    const [date, unit, amount] = [value('startDate'), value('unit'), value('amount')];
    requireUtc(name, value('timezone'));
    if (isAbsent(date) || isAbsent(unit) || isAbsent(amount)) return null;
    return shifted(dateOf(name, 5166403, date), unitOf(name, unit), sign * whole(name, amount));
  });
}

function weekday(name: string, v: Maybe): number {
  if (v === undefined) return 0;
  const text = (textOf(v) ?? '').toLowerCase();
  const day = WEEKDAYS.findIndex((weekdayName) => weekdayName === text || weekdayName.slice(0, 3) === text);
  if (day < 0) {
    throw new MongoError(
      ErrorCode.FailedToParse,
      `${name} parameter 'startOfWeek' value cannot be recognized as a day of a week: ${text}`,
    );
  }
  return day;
}

function monthIndex(date: Date): number {
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** Which unit the date lies in, counted from anywhere: the difference of two is how many borders lie between. */
function ordinal(date: Date, unit: string, startOfWeek: number): number {
  const months = MONTHS[unit];
  if (months !== undefined) return Math.floor(monthIndex(date) / months);
  const sinceReference = date.getTime() - REFERENCE_MS;
  if (unit !== 'week') return Math.floor(sinceReference / (FIXED_MS[unit] ?? 1));
  return Math.floor((sinceReference - firstWeekStart(startOfWeek)) / (FIXED_MS['week'] ?? 1));
}

/** Milliseconds from the reference to the next start of a week. */
function firstWeekStart(startOfWeek: number): number {
  return ((startOfWeek - REFERENCE_WEEKDAY + 7) % 7) * 86_400_000;
}

const dateDiff = named(
  '$dateDiff',
  DATE_DIFF,
  ['startDate', 'endDate', 'unit'],
  ['timezone', 'startOfWeek'],
  (value) => {
    const [start, end, unit] = [value('startDate'), value('endDate'), value('unit')];
    requireUtc('$dateDiff', value('timezone'));
    if (isAbsent(start) || isAbsent(end) || isAbsent(unit) || value('startOfWeek') === null) return null;
    const name = unitOf('$dateDiff', unit);
    const firstDay = name === 'week' ? weekday('$dateDiff', value('startOfWeek')) : 0;
    const count = (v: Value): number => ordinal(dateOf('$dateDiff', 5166307, v), name, firstDay);
    return Long.fromNumber(count(end) - count(start));
  },
);

const dateTrunc = named(
  '$dateTrunc',
  DATE_TRUNC,
  ['date', 'unit'],
  ['binSize', 'timezone', 'startOfWeek'],
  (value) => {
    const [date, unit] = [value('date'), value('unit')];
    requireUtc('$dateTrunc', value('timezone'));
    if (isAbsent(date) || isAbsent(unit) || value('binSize') === null || value('startOfWeek') === null)
      return null;
    const name = unitOf('$dateTrunc', unit);
    const binSize = binSizeOf(value('binSize'));
    return truncated(
      dateOf('$dateTrunc', 5439012, date),
      name,
      binSize,
      name === 'week' ? weekday('$dateTrunc', value('startOfWeek')) : 0,
    );
  },
);

function binSizeOf(v: Maybe): number {
  const size = v === undefined ? 1n : exactInteger(v);
  if (size === undefined || size < 1n)
    throw new MongoError(5439018, "$dateTrunc requires 'binSize' to be greater than 0");
  return Number(size);
}

function truncated(date: Date, unit: string, binSize: number, startOfWeek: number): Date {
  const months = MONTHS[unit];
  if (months !== undefined) {
    const size = months * binSize;
    const base = 2000 * 12;
    const month = base + Math.floor((monthIndex(date) - base) / size) * size;
    const result = new Date(0);
    result.setUTCFullYear(Math.floor(month / 12), ((month % 12) + 12) % 12, 1);
    return result;
  }
  const size = (FIXED_MS[unit] ?? 1) * binSize;
  const base = REFERENCE_MS + (unit === 'week' ? firstWeekStart(startOfWeek) : 0);
  return new Date(base + Math.floor((date.getTime() - base) / size) * size);
}

export const dateArithmeticOperators: OperatorTable = {
  $dateAdd: shifting('$dateAdd', 1),
  $dateSubtract: shifting('$dateSubtract', -1),
  $dateDiff: dateDiff,
  $dateTrunc: dateTrunc,
};
