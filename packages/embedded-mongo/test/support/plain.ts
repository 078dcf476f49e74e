import { docFromPlain, fromPlain } from '../../src/bson/encode.js';
import { isTagged, type Doc, type Value } from '../../src/bson/values.js';
import { MongoError } from '../../src/errors.js';

export type Plain = Record<string, unknown>;

/** A value as plain objects with its types spelled out, so that a test sees Int32 1 and Double 1 as different: `int:1`. */
export function typed(value: Value | undefined): unknown {
  if (value === undefined) return '(missing)';
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, field]) => [key, typed(field)]));
  if (Array.isArray(value)) return value.map(typed);
  if (value instanceof Date) return `date:${value.toISOString()}`;
  if (!isTagged(value)) return value;
  switch (value['_bsontype']) {
    case 'Int32':
      return `int:${value.value}`;
    case 'Double':
      return `double:${Object.is(value.value, -0) ? '-0' : value.value}`;
    case 'Long':
      return `long:${value.toString()}`;
    case 'Decimal128':
      return `decimal:${value.toString()}`;
    default:
      return value['_bsontype'];
  }
}

export function typedOf(value: unknown): unknown {
  return typed(fromPlain(value));
}

/** Field names in their order, which toEqual does not look at; nested ones in brackets. */
export function shape(value: Value): unknown {
  if (value instanceof Map)
    return [...value].flatMap(([key, field]) => (field instanceof Map ? [key, shape(field)] : [key]));
  return null;
}

export function doc(plain: Plain): Doc {
  return docFromPlain(plain);
}

/** The code of the MongoError that the action throws; undefined when it throws none. */
export function errorOf(action: () => unknown): { code: number; message: string } | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof MongoError) return { code: error.code, message: error.message };
    throw error;
  }
  return undefined;
}
