import { canonicalType } from '../bson/compare.js';
import { bsonType, BsonType, isNumber, type Doc, type Value } from '../bson/values.js';
import { encodeNumber } from './number-key.js';

const OFFSET = 10;
const END = Buffer.of(0);

/** First byte of a value's key: its bracket in BSON's order, never 0. */
export function bracketOf(value: Value): number {
  return canonicalType(value) + OFFSET;
}

/**
 * Bytes whose order is BSON's order of the values: equal exactly when the values compare equal, and no key is a prefix of
 * another, so that keys can be put one after the other and inverted for descending fields.
 */
export function encodeValue(value: Value): Buffer {
  const parts: Buffer[] = [];
  appendValue(parts, value);
  return Buffer.concat(parts);
}

function appendValue(parts: Buffer[], value: Value): void {
  parts.push(Buffer.of(bracketOf(value)));
  appendPayload(parts, value);
}

function appendPayload(parts: Buffer[], value: Value): void {
  if (typeof value === 'string') parts.push(stringKey(value));
  else if (typeof value === 'boolean') parts.push(Buffer.of(value ? 1 : 0));
  else if (value instanceof Date) parts.push(dateKey(value));
  else if (Array.isArray(value)) appendArray(parts, value);
  else if (value instanceof Map) appendObject(parts, value);
  else if (isNumber(value)) parts.push(encodeNumber(value));
  else if (value !== null) appendTagged(parts, value);
}

type Tagged = Exclude<Value, null | string | boolean | Date | Value[] | Doc>;

function appendTagged(parts: Buffer[], value: Tagged): void {
  switch (value['_bsontype']) {
    case 'ObjectId':
      parts.push(Buffer.from(value.id));
      break;
    case 'Timestamp':
      parts.push(timestampKey(value.t, value.i));
      break;
    case 'Binary':
      parts.push(
        binaryHeader(value.position, value.sub_type),
        Buffer.from(value.buffer.subarray(0, value.position)),
      );
      break;
    case 'BSONSymbol':
      parts.push(stringKey(value.value));
      break;
    case 'BSONRegExp':
      parts.push(stringKey(value.pattern), stringKey(value.options));
      break;
    case 'DBPointer':
      parts.push(
        binaryHeader(Buffer.byteLength(value.namespace), 0),
        stringKey(value.namespace),
        Buffer.from(value.id.id),
      );
      break;
    case 'Code':
      parts.push(stringKey(value.code));
      if (bsonType(value) === BsonType.javascriptWithScope && value.scope) appendObject(parts, value.scope);
      break;
    default:
  }
}

function appendArray(parts: Buffer[], values: readonly Value[]): void {
  for (const value of values) appendValue(parts, value);
  parts.push(END);
}

/** Documents compare field by field: bracket first, then name, then value. */
function appendObject(parts: Buffer[], fields: Doc): void {
  for (const [name, value] of fields) {
    parts.push(Buffer.of(bracketOf(value)), stringKey(name));
    appendPayload(parts, value);
  }
  parts.push(END);
}

/** NUL is escaped, so that two NULs can end the string and still sort below every continuation. */
function stringKey(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (!bytes.includes(0)) {
    const key = Buffer.allocUnsafe(bytes.length + 2);
    bytes.copy(key);
    key.writeUInt16BE(0, bytes.length);
    return key;
  }
  const escaped: number[] = [];
  for (const byte of bytes) {
    escaped.push(byte);
    if (byte === 0) escaped.push(1);
  }
  escaped.push(0, 0);
  return Buffer.from(escaped);
}

function dateKey(value: Date): Buffer {
  const key = Buffer.allocUnsafe(8);
  key.writeBigInt64BE(BigInt(value.getTime()));
  key[0] = (key[0] ?? 0) ^ 0x80;
  return key;
}

function timestampKey(seconds: number, increment: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  key.writeUInt32BE(seconds, 0);
  key.writeUInt32BE(increment, 4);
  return key;
}

function binaryHeader(length: number, subtype: number): Buffer {
  const header = Buffer.allocUnsafe(5);
  header.writeUInt32BE(length, 0);
  header[4] = subtype;
  return header;
}
