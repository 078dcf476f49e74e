import { Binary, BSONRegExp, Double, Int32, Long, type Timestamp } from 'bson';
import { ErrorCode, MongoError } from '../errors.js';
import {
  type BsonTypeCode,
  BsonType,
  bsonType,
  type DbPointer,
  type Doc,
  isTagged,
  type Tagged,
  type JavaScriptCode,
  type Value,
} from './values.js';
import { Writer } from './writer.js';

/** One for all: encoding is synchronous, and a buffer that is already grown is cheaper than a new one each time. */
const writer = new Writer();

/** The exact inverse of decodeDoc. Throws BSONObjectTooLarge (10334) above 64 MiB; the limits of storage are checked elsewhere. */
export function encodeDoc(doc: Doc): Buffer {
  try {
    writeDoc(writer, doc);
    return writer.finish();
  } catch (error) {
    writer.reset();
    throw error;
  }
}

function writeDoc(out: Writer, doc: Doc): void {
  const start = out.reserve(4);
  for (const [key, value] of doc) writeElement(out, key, value);
  out.byte(0);
  out.setInt32(start, out.pos - start);
}

function writeArray(out: Writer, array: readonly Value[]): void {
  const start = out.reserve(4);
  for (const [i, value] of array.entries()) writeElement(out, String(i), value);
  out.byte(0);
  out.setInt32(start, out.pos - start);
}

function writeElement(out: Writer, key: string, value: Value): void {
  const type = bsonType(value);
  out.byte(type & 0xff);
  out.cstring(key);
  writeValue(out, type, value);
}

function writeValue(out: Writer, type: BsonTypeCode, value: Value): void {
  if (typeof value === 'string') return out.string(value);
  if (typeof value === 'boolean') return out.byte(value ? 1 : 0);
  if (value instanceof Map) return writeDoc(out, value);
  if (Array.isArray(value)) return writeArray(out, value);
  if (value instanceof Date) return writeDate(out, value);
  if (isTagged(value)) writeTagged(out, type, value);
}

function writeDate(out: Writer, value: Date): void {
  const ms = value.getTime();
  if (Number.isNaN(ms)) throw new MongoError(ErrorCode.BadValue, 'a date outside the supported range');
  out.int64(BigInt(ms));
}

function writeTagged(out: Writer, type: BsonTypeCode, value: Tagged): void {
  switch (value['_bsontype']) {
    case 'Int32':
      return out.int32(value.value);
    case 'Double':
      return out.double(value.value);
    case 'Long':
    case 'Timestamp':
      return writeLong(out, value);
    case 'ObjectId':
      return out.bytes(value.id);
    case 'Decimal128':
      return out.bytes(value.bytes);
    case 'Binary':
      return writeBinary(out, value);
    case 'BSONRegExp':
      out.cstring(value.pattern);
      return out.cstring(value.options);
    case 'BSONSymbol':
      return out.string(value.value);
    case 'Code':
      return writeCode(out, type, value);
    case 'DBPointer':
      return writePointer(out, value);
    default:
  }
}

function writeLong(out: Writer, value: Long | Timestamp): void {
  out.int32(value.low);
  out.int32(value.high);
}

function writeBinary(out: Writer, value: Binary): void {
  out.int32(value.position);
  out.byte(value.sub_type);
  out.bytes(value.buffer.subarray(0, value.position));
}

function writeCode(out: Writer, type: BsonTypeCode, value: JavaScriptCode): void {
  if (type === BsonType.javascript || value.scope === undefined) return out.string(value.code);
  const start = out.reserve(4);
  out.string(value.code);
  writeDoc(out, value.scope);
  out.setInt32(start, out.pos - start);
}

function writePointer(out: Writer, value: DbPointer): void {
  out.string(value.namespace);
  out.bytes(value.id.id);
}

/**
 * A plain JavaScript value as a BSON value, for building replies and tests: integers within 32 bits become Int32, other
 * numbers Double, bigints Long; properties that are undefined are left out. Maps and BSON objects pass as they are.
 */
export function fromPlain(value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return plainNumber(value);
  if (typeof value === 'bigint') return Long.fromBigInt(value);
  if (Array.isArray(value)) return value.map(fromPlain);
  if (value instanceof RegExp) return new BSONRegExp(value.source, value.flags.replaceAll(/[^imsxu]/g, ''));
  if (value instanceof Uint8Array) return new Binary(value);
  return isBsonObject(value) ? value : docFromPlain(value);
}

function isBsonObject(value: object): value is Doc | Date | Tagged {
  return value instanceof Map || value instanceof Date || '_bsontype' in value;
}

/** As fromPlain, for an object. */
export function docFromPlain(value: object): Doc {
  const doc: Doc = new Map();
  for (const [key, field] of Object.entries(value) as [string, unknown][]) {
    if (field !== undefined) doc.set(key, fromPlain(field));
  }
  return doc;
}

function plainNumber(value: number): Int32 | Double {
  const isInt32 =
    Number.isInteger(value) && value >= -0x80000000 && value <= 0x7fffffff && !Object.is(value, -0);
  return isInt32 ? new Int32(value) : new Double(value);
}
