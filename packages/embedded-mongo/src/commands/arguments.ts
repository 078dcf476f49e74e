import {
  isDoc,
  isDouble,
  isInt32,
  isLong,
  isNumber,
  typeName,
  type Doc,
  type Value,
} from '../bson/values.js';
import { decodeDoc } from '../bson/decode.js';
import { encodeDoc } from '../bson/encode.js';
import { ErrorCode, MongoError } from '../errors.js';
import { assertCollectionName } from '../storage/namespace.js';
import type { CommandRequest } from './command.js';

/** A document that came with a command, decoded, and as it was sent or would be. */
export interface SentDocument {
  readonly doc: Doc;
  readonly raw: Uint8Array;
}

/** The collection that the command's first field names. */
export function collectionName({ name, database, body }: CommandRequest): string {
  const value = body.get(name);
  if (typeof value !== 'string') {
    throw new MongoError(ErrorCode.InvalidNamespace, `collection name has invalid type ${typeOf(value)}`);
  }
  assertCollectionName(database, value);
  return value;
}

/** The list of documents under that name, from the body or from a document sequence. */
export function documentList(request: CommandRequest, name: string): SentDocument[] {
  const sequence = request.sequences.get(name);
  if (sequence) return sequence.map((raw) => ({ doc: decodeDoc(raw), raw }));
  const value = request.body.get(name);
  if (value === undefined) throw missing(request.name, name);
  if (!Array.isArray(value)) throw wrongType(request.name, name, value, 'array');
  return value.map((doc, index) => {
    if (!isDoc(doc)) throw wrongType(request.name, `${name}.${index}`, doc, 'object');
    return { doc, raw: encodeDoc(doc) };
  });
}

export function docArgument(body: Doc, command: string, name: string): Doc | undefined {
  const value = body.get(name);
  if (value === undefined || value === null) return undefined;
  if (!isDoc(value)) throw wrongType(command, name, value, 'object');
  return value;
}

export function arrayArgument(body: Doc, command: string, name: string): Value[] | undefined {
  const value = body.get(name);
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw wrongType(command, name, value, 'array');
  return value;
}

export function stringArgument(body: Doc, command: string, name: string): string {
  const value = body.get(name);
  if (value === undefined) throw missing(command, name);
  if (typeof value !== 'string') throw wrongType(command, name, value, 'string');
  return value;
}

/** Absent counts as false; numbers count as MongoDB counts them. */
export function booleanArgument(body: Doc, command: string, name: string, absent = false): boolean {
  const value = body.get(name);
  if (value === undefined || value === null) return absent;
  if (typeof value === 'boolean') return value;
  if (isNumber(value)) return Number(value.toString()) !== 0;
  throw wrongType(command, name, value, 'bool');
}

/** A whole number that is not negative. */
export function countArgument(body: Doc, command: string, name: string): number | undefined {
  const number = integerArgument(body, command, name);
  if (number !== undefined && number < 0) {
    throw new MongoError(51024, `BSON field '${name}' value must be >= 0, actual value '${number}'`);
  }
  return number;
}

export function integerArgument(body: Doc, command: string, name: string): number | undefined {
  const value = body.get(name);
  if (value === undefined || value === null) return undefined;
  const number =
    isInt32(value) || isDouble(value) ? value.value : isLong(value) ? value.toNumber() : undefined;
  if (number === undefined) throw wrongType(command, name, value, 'long');
  if (Number.isNaN(number)) return 0;
  return Math.trunc(number);
}

export function wrongType(
  command: string,
  field: string,
  value: Value | undefined,
  expected: string,
): MongoError {
  return new MongoError(
    ErrorCode.TypeMismatch,
    `BSON field '${command}.${field}' is the wrong type '${typeOf(value)}', expected type '${expected}'`,
  );
}

export function missing(command: string, field: string): MongoError {
  return new MongoError(40414, `BSON field '${command}.${field}' is missing but a required field`);
}

function typeOf(value: Value | undefined): string {
  return value === undefined ? 'missing' : typeName(value);
}

/** Refuses fields that are not known: what is ignored silently would change the answer. */
export function assertKnownFields(body: Doc, command: string, known: ReadonlySet<string>): void {
  for (const field of body.keys()) {
    if (!known.has(field))
      throw new MongoError(40415, `BSON field '${command}.${field}' is an unknown field.`);
  }
}
