import { MongoError } from '../errors.js';
import { offsetMinutes } from './parse-date.js';

const MINUTE_MS = 60_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Milliseconds that a zone ("UTC", "+05:30", "Asia/Kolkata") is ahead of UTC at a time. Throws 40485 for an unknown zone. */
export function zoneOffset(zone: string, at: Date): number {
  if (zone === 'UTC' || zone === 'GMT' || zone === 'Z') return 0;
  if (/^[+-]\d{2}(?::?\d{2})?$/.test(zone)) return offsetMinutes(zone) * MINUTE_MS;
  const parts = new Map(
    formatOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  const local = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return local - Math.floor(at.getTime() / 1000) * 1000;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const format = newFormat(zone);
  formats.set(zone, format);
  return format;
}

function newFormat(zone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw new MongoError(40485, `unrecognized time zone identifier: "${zone}"`);
  }
}

/** The same wall clock as in the zone, as if it were UTC: its getUTC... methods give the zone's parts. */
export function wallClock(date: Date, zone: string): Date {
  return new Date(date.getTime() + zoneOffset(zone, date));
}
