import { fitsFormat } from './parse-date-format.js';
import { ErrorCode, MongoError } from '../errors.js';

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)? ?(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$/i;

/**
 * A date in ISO 8601: `2024-01-31`, `2024-01-31T12:00:00.5Z`, `2024-01-31 12:00+0530`. Without a zone it is UTC. Of the
 * many other forms that MongoDB reads none is read.
 */
export function parseDate(text: string, failure: (reason: string) => MongoError): Date {
  const found = ISO.exec(text.trim());
  if (!found) throw failure(`Error parsing date string '${text}'`);
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', zone = 'Z'] = found;
  const ms = Math.floor(Number(`0.${fraction}`) * 1000);
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second), ms);
  const isReal = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  if (!isReal || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) {
    throw failure(`Error parsing date string '${text}'`);
  }
  return new Date(date.getTime() - offsetMinutes(zone) * 60_000);
}

/** Throws NotImplemented (238) where taking the value given for errors could be another answer than MongoDB's. */
export function refuseUncertainDate(text: string, format?: string): void {
  if (format === undefined ? !mayBeDate(text) : !/\d/.test(text) || fitsFormat(text, format)) return;
  throw new MongoError(
    ErrorCode.NotImplemented,
    `'${text}' cannot be converted: dates are read in ISO 8601 or exactly by a format, other forms are not supported`,
  );
}

/**
 * Whether MongoDB may read a text that `parseDate` does not. It cannot without any digit, nor where the text is in ISO 8601
 * but for a day that its month does not have.
 */
function mayBeDate(text: string): boolean {
  if (!/\d/.test(text)) return false;
  const found = ISO.exec(text.trim());
  if (!found) return true;
  const most = [12, 31, 23, 59, 59];
  return most.some((limit, i) => Number(found[i + 2]) > limit);
}

/** Minutes east of UTC of `+05:30`, `-0800`, `+01`; 0 for Z, UTC and GMT. */
export function offsetMinutes(zone: string): number {
  const found = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone);
  if (!found) return 0;
  const minutes = Number(found[2]) * 60 + Number(found[3] ?? 0);
  return found[1] === '-' ? -minutes : minutes;
}
