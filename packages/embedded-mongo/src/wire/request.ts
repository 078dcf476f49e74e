import { decodeDoc } from '../bson/decode.js';
import type { Doc } from '../bson/values.js';
import { MongoError } from '../errors.js';
import { crc32c } from './crc32c.js';
import { HEADER_SIZE, ProtocolError } from './framing.js';

const OP_QUERY = 2004;
export const OP_MSG = 2013;
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
/** Bits 0 to 15 must be understood by the receiver; of those OP_MSG defines only the two above. */
const UNKNOWN_REQUIRED_FLAGS = 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME);
const MAX_DOCUMENT_SIZE = 16 * 1024 * 1024 + 16 * 1024;

export interface Request {
  readonly requestId: number;
  /** The command's name is its first key. */
  readonly body: Doc;
  /** Document sequences (OP_MSG section kind 1), each document as raw BSON. */
  readonly sequences: ReadonlyMap<string, Uint8Array[]>;
  /** No reply is expected (unacknowledged write). */
  readonly moreToCome: boolean;
  /** `query` requests are answered with OP_REPLY: only the first hello of a connection comes that way. */
  readonly protocol: 'msg' | 'query';
  readonly database: string;
}

export interface Envelope {
  readonly requestId: number;
  readonly moreToCome: boolean;
  readonly protocol: 'msg' | 'query';
  /** Decodes the body. Throws MongoError when the BSON is malformed: that can still be answered. */
  open(): Request;
}

/** Checks a complete message's structure. Throws ProtocolError when nothing sensible can be answered. */
export function parseMessage(message: Buffer): Envelope {
  const requestId = message.readInt32LE(4);
  const opCode = message.readInt32LE(12);
  if (opCode === OP_MSG) return parseMsg(message, requestId);
  if (opCode === OP_QUERY) return parseQuery(message, requestId);
  throw new ProtocolError(`opcode ${opCode} is not supported`);
}

function parseMsg(message: Buffer, requestId: number): Envelope {
  if (message.length < HEADER_SIZE + 4 + 1 + 5) throw new ProtocolError('OP_MSG is too short');
  const flags = message.readUInt32LE(HEADER_SIZE);
  if (flags & UNKNOWN_REQUIRED_FLAGS) throw new ProtocolError(`OP_MSG has unknown flags ${flags}`);
  const end = flags & CHECKSUM_PRESENT ? message.length - 4 : message.length;
  if (flags & CHECKSUM_PRESENT && message.readUInt32LE(end) !== crc32c(message.subarray(0, end))) {
    throw new ProtocolError('OP_MSG checksum does not match');
  }
  const { body, sequences } = parseSections(message, HEADER_SIZE + 4, end);
  const moreToCome = (flags & MORE_TO_COME) !== 0;
  const open = (): Request => {
    const decoded = decodeDoc(body);
    const database = decoded.get('$db');
    if (typeof database !== 'string') throw new MongoError(40571, 'OP_MSG requests require a $db argument');
    for (const name of sequences.keys()) {
      if (decoded.has(name))
        throw new MongoError(40433, `Duplicate field between body and document sequence ${name}`);
    }
    return { requestId, body: decoded, sequences, moreToCome, protocol: 'msg', database };
  };
  return { requestId, moreToCome, protocol: 'msg', open };
}

function parseSections(message: Buffer, start: number, end: number) {
  let body: Buffer | undefined;
  const sequences = new Map<string, Uint8Array[]>();
  let position = start;
  while (position < end) {
    const kind = message.readUInt8(position++);
    const size = sizeAt(message, position, end);
    const section = message.subarray(position, position + size);
    if (kind === 0 && !body) body = section;
    else if (kind === 1) addSequence(sequences, section);
    else
      throw new ProtocolError(
        kind === 0 ? 'OP_MSG has two bodies' : `OP_MSG section kind ${kind} is unknown`,
      );
    position += size;
  }
  if (!body) throw new ProtocolError('OP_MSG has no body');
  return { body, sequences };
}

function addSequence(sequences: Map<string, Uint8Array[]>, section: Buffer): void {
  const terminator = section.indexOf(0, 4);
  if (terminator < 0) throw new ProtocolError('document sequence without an identifier');
  const name = section.toString('utf8', 4, terminator);
  if (sequences.has(name)) throw new ProtocolError(`document sequence ${name} is sent twice`);
  const documents: Uint8Array[] = [];
  let position = terminator + 1;
  while (position < section.length) {
    const size = sizeAt(section, position, section.length);
    documents.push(section.subarray(position, position + size));
    position += size;
  }
  sequences.set(name, documents);
}

function sizeAt(bytes: Buffer, position: number, end: number): number {
  if (position + 5 > end) throw new ProtocolError('a section ends in the middle of a length');
  const size = bytes.readInt32LE(position);
  if (size < 5 || position + size > end)
    throw new ProtocolError(`a length of ${size} does not fit its section`);
  return size;
}

function parseQuery(message: Buffer, requestId: number): Envelope {
  const nameEnd = message.indexOf(0, HEADER_SIZE + 4);
  if (nameEnd < 0 || nameEnd + 9 + 5 > message.length) throw new ProtocolError('OP_QUERY is too short');
  const namespace = message.toString('utf8', HEADER_SIZE + 4, nameEnd);
  const size = sizeAt(message, nameEnd + 9, message.length);
  const body = message.subarray(nameEnd + 9, nameEnd + 9 + size);
  const open = (): Request => {
    if (!namespace.endsWith('.$cmd')) throw new MongoError(352, `Unsupported OP_QUERY on ${namespace}`);
    const database = namespace.slice(0, -'.$cmd'.length);
    return {
      requestId,
      body: decodeDoc(body),
      sequences: new Map(),
      moreToCome: false,
      protocol: 'query',
      database,
    };
  };
  return { requestId, moreToCome: false, protocol: 'query', open };
}

/** A user document may be 16 MiB; the server's own additions to it get 16 KiB more, as in MongoDB. */
export { MAX_DOCUMENT_SIZE };
