import { encodeDoc, fromPlain } from '../bson/encode.js';
import { HEADER_SIZE } from './framing.js';
import { OP_MSG } from './request.js';

const OP_REPLY = 1;
const DOCUMENT_TYPE = 3;
const ARRAY_TYPE = 4;
const TERMINATOR = Buffer.alloc(1);

/** A document that is sent as the bytes it is stored as. */
export class RawDocument {
  constructor(readonly bytes: Uint8Array) {}
}

/** A list of documents that are sent as the bytes they are stored as. */
export class RawArray {
  constructor(readonly documents: readonly Uint8Array[]) {}
}

/** A reply's fields; values are whatever `fromPlain` takes, objects of those, and raw documents. Undefined fields are left out. */
export type ReplyFields = { [field: string]: unknown };

let lastReplyId = 0;

/** One OP_MSG, or OP_REPLY for an OP_QUERY, that answers the request with that id. */
export function encodeReply(fields: ReplyFields, responseTo: number, protocol: 'msg' | 'query'): Buffer {
  const parts = [Buffer.alloc(protocol === 'msg' ? HEADER_SIZE + 5 : HEADER_SIZE + 20)];
  appendDocument(parts, fields);
  const message = Buffer.concat(parts);
  lastReplyId = (lastReplyId + 1) & 0x7fffffff;
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(lastReplyId, 4);
  message.writeInt32LE(responseTo, 8);
  message.writeInt32LE(protocol === 'msg' ? OP_MSG : OP_REPLY, 12);
  if (protocol === 'query') message.writeInt32LE(1, HEADER_SIZE + 16);
  return message;
}

function appendDocument(parts: Buffer[], fields: ReplyFields): number {
  const header = Buffer.alloc(4);
  parts.push(header);
  let size = 5;
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) size += appendElement(parts, key, value);
  }
  parts.push(TERMINATOR);
  header.writeInt32LE(size);
  return size;
}

function appendElement(parts: Buffer[], key: string, value: unknown): number {
  if (value instanceof RawDocument) return appendRaw(parts, DOCUMENT_TYPE, key, value.bytes);
  if (value instanceof RawArray) return appendRawArray(parts, key, value.documents);
  if (isFields(value)) {
    const name = elementName(DOCUMENT_TYPE, key);
    parts.push(name);
    return name.length + appendDocument(parts, value);
  }
  const bytes = encodeDoc(new Map([[key, fromPlain(value)]])).subarray(4, -1);
  parts.push(bytes);
  return bytes.length;
}

function appendRaw(parts: Buffer[], type: number, key: string, bytes: Uint8Array): number {
  const name = elementName(type, key);
  parts.push(name, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return name.length + bytes.length;
}

function appendRawArray(parts: Buffer[], key: string, documents: readonly Uint8Array[]): number {
  const name = elementName(ARRAY_TYPE, key);
  const header = Buffer.alloc(4);
  parts.push(name, header);
  let size = 5;
  for (const [index, document] of documents.entries()) {
    size += appendRaw(parts, DOCUMENT_TYPE, String(index), document);
  }
  parts.push(TERMINATOR);
  header.writeInt32LE(size);
  return name.length + size;
}

function elementName(type: number, key: string): Buffer {
  const name = Buffer.allocUnsafe(Buffer.byteLength(key) + 2);
  name[0] = type;
  name.write(key, 1);
  name[name.length - 1] = 0;
  return name;
}

function isFields(value: unknown): value is ReplyFields {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
