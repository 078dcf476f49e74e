import { Int32, Long } from 'bson';
import { textOf, type Value } from '../../bson/values.js';
import { ErrorCode, MongoError } from '../../errors.js';
import { DATE_FROM_STRING, DATE_TO_STRING } from '../argument-codes.js';
import { isAbsent, type Maybe, named, typeText } from '../arguments.js';
import { dayOfYear, isoDayOfWeek, isoWeek, isoWeekYear, sundayWeek } from '../calendar.js';
import { dateFrom, zoneFrom } from '../date-operands.js';
import { formatDate } from '../format-date.js';
import { parseDateByFormat } from '../parse-date-format.js';
import { parseDate, refuseUncertainDate } from '../parse-date.js';
import type { CompileContext, Expr, Operator, OperatorTable } from '../scope.js';
import { wallClock, zoneOffset } from '../time-zone.js';
import { dateArithmeticOperators } from './date-arithmetic.js';
import { datePartsOperators } from './date-parts.js';

/** `{ $year: <date> }` or `{ $year: { date, timezone } }`. */
function part(name: string, read: (wall: Date) => Value): Operator {
  return (operand, context) => {
    const { date, zone } = dateAndZone(name, operand, context);
    return (scope) => {
      const value = date(scope);
      const zoneName = zoneFrom(zone?.(scope), zone !== undefined);
      if (isAbsent(value) || zoneName === undefined) return null;
      return read(wallClock(dateFrom(value), zoneName));
    };
  };
}

function dateAndZone(name: string, operand: Value, context: CompileContext): { date: Expr; zone?: Expr } {
  const single = Array.isArray(operand) && operand.length === 1 ? (operand[0] ?? null) : operand;
  if (Array.isArray(single)) {
    throw new MongoError(
      40536,
      `${name} accepts exactly one argument if given an array, but was given ${single.length}`,
    );
  }
  if (!(single instanceof Map) || single.keys().next().value?.startsWith('$') === true) {
    return { date: context.compile(single) };
  }
  for (const field of single.keys()) {
    if (field !== 'date' && field !== 'timezone') {
      throw new MongoError(40535, `unrecognized option to ${name}: "${field}"`);
    }
  }
  const date = single.get('date');
  if (date === undefined)
    throw new MongoError(40539, `missing 'date' argument to ${name}, provided: ${name}`);
  const zone = single.get('timezone');
  return { date: context.compile(date), ...(zone === undefined ? {} : { zone: context.compile(zone) }) };
}

const int = (name: string, read: (wall: Date) => number): Operator =>
  part(name, (wall) => new Int32(read(wall)));

const DEFAULT_FORMAT = '%Y-%m-%dT%H:%M:%S.%L';

function dateToString(operand: Value, context: CompileContext): Expr {
  const isZoned = operand instanceof Map && operand.has('timezone');
  const isFormatted = operand instanceof Map && operand.has('format');
  return named('$dateToString', DATE_TO_STRING, ['date'], ['format', 'timezone', 'onNull'], (value) => {
    const date = value('date');
    const zone = zoneFrom(value('timezone'), isZoned);
    const format = isFormatted
      ? value('format')
      : `${DEFAULT_FORMAT}${zone === 'UTC' || zone === 'GMT' ? 'Z' : ''}`;
    if (isAbsent(date)) return value('onNull') ?? null;
    if (zone === undefined || isAbsent(format)) return null;
    const text = textOf(format);
    if (text === undefined) {
      throw new MongoError(
        18533,
        `$dateToString requires that 'format' be a string, found: ${typeText(format)}`,
      );
    }
    const at = dateFrom(date);
    return formatDate(text, wallClock(at, zone), zoneOffset(zone, at) / 60_000);
  })(operand, context);
}

function conversionFailure(reason: string): MongoError {
  return new MongoError(ErrorCode.ConversionFailure, reason);
}

/** Texts in ISO 8601, or by a format. */
function dateFromString(operand: Value, context: CompileContext): Expr {
  const isFormatted = operand instanceof Map && operand.has('format');
  return named(
    '$dateFromString',
    DATE_FROM_STRING,
    ['dateString'],
    ['format', 'onError', 'onNull'],
    (value) => {
      const text = value('dateString');
      if (isAbsent(text)) return value('onNull') ?? null;
      const format = value('format');
      if (isFormatted && isAbsent(format)) return null;
      try {
        return readDate(text, format);
      } catch (error) {
        const fallback = value('onError');
        const isConversion = error instanceof MongoError && error.code === ErrorCode.ConversionFailure;
        if (fallback === undefined || !isConversion) throw error;
        if (typeof text === 'string') refuseUncertainDate(text, textOf(format));
        return fallback;
      }
    },
  )(operand, context);
}

function readDate(v: Value, format: Maybe): Date {
  const formatText = textOf(format);
  if (format !== undefined && formatText === undefined)
    throw new MongoError(
      40684,
      `$dateFromString requires that 'format' be a string, found: ${typeText(format)}`,
    );
  const text = textOf(v);
  if (text === undefined) {
    throw conversionFailure(
      `$dateFromString requires that 'dateString' be a string, found: ${typeText(v)} with value`,
    );
  }
  return formatText === undefined
    ? parseDate(text, conversionFailure)
    : parseDateByFormat(text, formatText, conversionFailure);
}

export const dateOperators: OperatorTable = {
  $year: int('$year', (wall) => wall.getUTCFullYear()),
  $month: int('$month', (wall) => wall.getUTCMonth() + 1),
  $dayOfMonth: int('$dayOfMonth', (wall) => wall.getUTCDate()),
  $hour: int('$hour', (wall) => wall.getUTCHours()),
  $minute: int('$minute', (wall) => wall.getUTCMinutes()),
  $second: int('$second', (wall) => wall.getUTCSeconds()),
  $millisecond: int('$millisecond', (wall) => wall.getUTCMilliseconds()),
  $dayOfWeek: int('$dayOfWeek', (wall) => wall.getUTCDay() + 1),
  $dayOfYear: int('$dayOfYear', dayOfYear),
  $week: int('$week', sundayWeek),
  $isoWeek: int('$isoWeek', isoWeek),
  $isoDayOfWeek: int('$isoDayOfWeek', isoDayOfWeek),
  $isoWeekYear: part('$isoWeekYear', (wall) => Long.fromNumber(isoWeekYear(wall))),
  $dateToString: dateToString,
  $dateFromString: dateFromString,
  ...dateArithmeticOperators,
  ...datePartsOperators,
};
