import { ErrorCode, MongoError } from '../errors.js';

export function invalidBson(what: string): MongoError {
  return new MongoError(ErrorCode.InvalidBSON, `invalid BSON: ${what}`);
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads little-endian BSON parts and never past `end`. */
export class Reader {
  pos = 0;
  readonly buffer: Buffer;

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(length: number, end: number): number {
    const start = this.pos;
    if (length < 0 || start + length > end) throw invalidBson('a value reaches beyond its document');
    this.pos = start + length;
    return start;
  }

  byte(end: number): number {
    return this.buffer.readUInt8(this.take(1, end));
  }

  int32(end: number): number {
    return this.buffer.readInt32LE(this.take(4, end));
  }

  double(end: number): number {
    return this.buffer.readDoubleLE(this.take(8, end));
  }

  /** A copy: values outlive the network buffer that they came in. */
  bytes(length: number, end: number): Buffer {
    const start = this.take(length, end);
    const copy = Buffer.allocUnsafe(length);
    this.buffer.copy(copy, 0, start, start + length);
    return copy;
  }

  cstring(end: number): string {
    const stop = this.buffer.indexOf(0, this.pos);
    if (stop < 0 || stop >= end) throw invalidBson('a name without its end');
    const text = this.text(this.pos, stop);
    this.pos = stop + 1;
    return text;
  }

  string(end: number): string {
    const length = this.int32(end);
    if (length < 1) throw invalidBson('a string of impossible length');
    const start = this.take(length, end);
    if (this.buffer[start + length - 1] !== 0) throw invalidBson('a string without its end');
    return this.text(start, start + length - 1);
  }

  private text(start: number, stop: number): string {
    const text = this.buffer.toString('utf8', start, stop);
    // Lenient decoding turns bad bytes into U+FFFD: only then is the strict and slower check needed.
    if (!text.includes('\uFFFD')) return text;
    try {
      return strict.decode(this.buffer.subarray(start, stop));
    } catch {
      throw invalidBson('a string that is not UTF-8');
    }
  }
}
