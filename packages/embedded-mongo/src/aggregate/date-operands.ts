import { isTagged, isTimestamp, textOf, type Value } from '../bson/values.js';
import { MongoError } from '../errors.js';
import { isAbsent, type Maybe, typeText } from './arguments.js';

/** Dates, timestamps and ObjectIds stand for a time. Throws 16006 for anything else. */
export function dateFrom(v: Value): Date {
  if (v instanceof Date) return v;
  if (isTimestamp(v)) return new Date(v.t * 1000);
  if (isTagged(v) && v['_bsontype'] === 'ObjectId') return v.getTimestamp();
  throw new MongoError(16006, `can't convert from BSON type ${typeText(v)} to Date`);
}

/** The zone's name; undefined when it is null, which makes the result null. */
export function zoneFrom(v: Maybe, isGiven: boolean): string | undefined {
  if (!isGiven) return 'UTC';
  if (isAbsent(v)) return undefined;
  const zone = textOf(v);
  if (zone === undefined)
    throw new MongoError(40517, `timezone must evaluate to a string, found ${typeText(v)}`);
  return zone;
}
