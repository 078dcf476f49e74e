import type { MongoError } from '../errors.js';

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

/** Minutes east of UTC of `+05:30`, `-0800`, `+01`; 0 for Z, UTC and GMT. */
export function offsetMinutes(zone: string): number {
  const found = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone);
  if (!found) return 0;
  const minutes = Number(found[2]) * 60 + Number(found[3] ?? 0);
  return found[1] === '-' ? -minutes : minutes;
}
