import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import { ErrorCode, MongoError } from '../errors.js';
import { invalidBson, Reader } from './reader.js';
import { DbPointer, type Doc, JavaScriptCode, UNDEFINED, type Value } from './values.js';

/** Levels of nesting that a message may have; stored documents may have fewer (see depth.ts). */
export const MAX_DEPTH = 200;
const MAX_DATE_MS = 8_640_000_000_000_000n;

/**
 * Decodes one document that fills `bytes` exactly. Every value is copied out of `bytes`.
 * Throws InvalidBSON (22) on anything malformed, Overflow (15) beyond 200 levels, and BadValue (2) on what it cannot
 * carry faithfully: a repeated field name, or a date outside JavaScript's range (±8.64e15 ms).
 */
export function decodeDoc(bytes: Uint8Array): Doc {
  const reader = new Reader(bytes);
  const doc = readDoc(reader, bytes.byteLength, 1);
  if (reader.pos !== bytes.byteLength) throw invalidBson('bytes after the end of the document');
  return doc;
}

/** Reads the length, checks it, hands the end of the elements to `element` until the closing zero. */
function readElements(
  reader: Reader,
  end: number,
  depth: number,
  element: (type: number, stop: number) => void,
): void {
  if (depth > MAX_DEPTH) {
    throw new MongoError(ErrorCode.Overflow, `BSONObj exceeded maximum nested object depth: ${MAX_DEPTH}`);
  }
  const start = reader.pos;
  const length = reader.int32(end);
  const stop = start + length;
  if (length < 5 || stop > end) throw invalidBson('a document of impossible length');
  for (let type = reader.byte(stop); type !== 0; type = reader.byte(stop)) element(type, stop);
  if (reader.pos !== stop) throw invalidBson('a document whose end is not where its length says');
}

function readDoc(reader: Reader, end: number, depth: number): Doc {
  const doc: Doc = new Map();
  let fields = 0;
  readElements(reader, end, depth, (type, stop) => {
    const name = reader.cstring(stop);
    doc.set(name, readValue(reader, type, stop, depth));
    if (++fields !== doc.size) {
      throw new MongoError(
        ErrorCode.BadValue,
        `documents with a repeated field name ('${name}') are not supported`,
      );
    }
  });
  return doc;
}

function readArray(reader: Reader, end: number, depth: number): Value[] {
  const array: Value[] = [];
  readElements(reader, end, depth, (type, stop) => {
    reader.cstring(stop);
    array.push(readValue(reader, type, stop, depth));
  });
  return array;
}

function readValue(reader: Reader, type: number, end: number, depth: number): Value {
  switch (type) {
    case 0x01:
      return new Double(reader.double(end));
    case 0x02:
      return reader.string(end);
    case 0x03:
      return readDoc(reader, end, depth + 1);
    case 0x04:
      return readArray(reader, end, depth + 1);
    case 0x07:
      return new ObjectId(reader.bytes(12, end));
    case 0x08:
      return readBoolean(reader, end);
    case 0x09:
      return readDate(reader, end);
    case 0x0a:
      return null;
    case 0x10:
      return new Int32(reader.int32(end));
    case 0x12:
      return new Long(reader.int32(end), reader.int32(end));
    default:
      return readRareValue(reader, type, end, depth);
  }
}

function readRareValue(reader: Reader, type: number, end: number, depth: number): Value {
  switch (type) {
    case 0x05:
      return readBinary(reader, end);
    case 0x06:
      return UNDEFINED;
    case 0x0b:
      return readRegex(reader, end);
    case 0x0c:
      return new DbPointer(reader.string(end), new ObjectId(reader.bytes(12, end)));
    case 0x0d:
      return new JavaScriptCode(reader.string(end));
    case 0x0e:
      return new BSONSymbol(reader.string(end));
    case 0x0f:
      return readCodeWithScope(reader, end, depth);
    case 0x11:
      return new Timestamp(new Long(reader.int32(end), reader.int32(end), true));
    case 0x13:
      return new Decimal128(reader.bytes(16, end));
    case 0xff:
      return new MinKey();
    case 0x7f:
      return new MaxKey();
    default:
      throw invalidBson(`unknown type 0x${type.toString(16)}`);
  }
}

function readBoolean(reader: Reader, end: number): boolean {
  const byte = reader.byte(end);
  if (byte > 1) throw invalidBson('a boolean that is neither 0 nor 1');
  return byte === 1;
}

function readDate(reader: Reader, end: number): Date {
  const ms = reader.buffer.readBigInt64LE(reader.take(8, end));
  if (ms > MAX_DATE_MS || ms < -MAX_DATE_MS) {
    throw new MongoError(ErrorCode.BadValue, `dates outside ±8.64e15 ms are not supported, got ${ms}`);
  }
  return new Date(Number(ms));
}

function readBinary(reader: Reader, end: number): Binary {
  const length = reader.int32(end);
  const subtype = reader.byte(end);
  return new Binary(reader.bytes(length, end), subtype);
}

function readRegex(reader: Reader, end: number): BSONRegExp {
  const pattern = reader.cstring(end);
  const options = reader.cstring(end);
  try {
    return new BSONRegExp(pattern, options);
  } catch {
    throw new MongoError(ErrorCode.BadValue, `unsupported regular expression options '${options}'`);
  }
}

function readCodeWithScope(reader: Reader, end: number, depth: number): JavaScriptCode {
  const start = reader.pos;
  const stop = start + reader.int32(end);
  if (stop > end) throw invalidBson('code with scope of impossible length');
  const code = reader.string(stop);
  const scope = readDoc(reader, stop, depth + 1);
  if (reader.pos !== stop) throw invalidBson('code with scope of wrong length');
  return new JavaScriptCode(code, scope);
}
