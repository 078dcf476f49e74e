import { ErrorCode, MongoError } from '../errors.js';

const INITIAL_BYTES = 64 * 1024;
/** A reply may carry 16 MiB of documents and a message 48 MB; nothing that is encoded here may grow beyond. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Appends little-endian BSON parts to a buffer that grows as needed. */
export class Writer {
  pos = 0;
  private buffer = Buffer.allocUnsafe(INITIAL_BYTES);

  /** Bytes written so far, as a copy; the writer is empty afterwards. */
  finish(): Buffer {
    const bytes = Buffer.allocUnsafe(this.pos);
    this.buffer.copy(bytes, 0, 0, this.pos);
    this.reset();
    return bytes;
  }

  reset(): void {
    this.pos = 0;
    if (this.buffer.length > 16 * INITIAL_BYTES) this.buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  }

  reserve(length: number): number {
    const start = this.pos;
    const needed = start + length;
    if (needed > this.buffer.length) this.grow(needed);
    this.pos = needed;
    return start;
  }

  private grow(needed: number): void {
    if (needed > MAX_BYTES)
      throw new MongoError(ErrorCode.BSONObjectTooLarge, 'BSON document is too large to encode');
    const larger = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.pos);
    this.buffer = larger;
  }

  byte(value: number): void {
    const at = this.reserve(1);
    this.buffer[at] = value;
  }

  int32(value: number): void {
    const at = this.reserve(4);
    this.buffer.writeInt32LE(value, at);
  }

  double(value: number): void {
    const at = this.reserve(8);
    this.buffer.writeDoubleLE(value, at);
  }

  int64(value: bigint): void {
    const at = this.reserve(8);
    this.buffer.writeBigInt64LE(value, at);
  }

  bytes(value: Uint8Array): void {
    const at = this.reserve(value.byteLength);
    this.buffer.set(value, at);
  }

  setInt32(at: number, value: number): void {
    this.buffer.writeInt32LE(value, at);
  }

  cstring(value: string): void {
    if (value.includes('\0')) throw new MongoError(ErrorCode.BadValue, 'field names may not contain NUL');
    this.text(value);
    this.byte(0);
  }

  string(value: string): void {
    const at = this.reserve(4);
    const length = this.text(value);
    this.byte(0);
    this.setInt32(at, length + 1);
  }

  private text(value: string): number {
    const start = this.reserve(value.length * 3);
    const length = this.buffer.write(value, start, 'utf8');
    this.pos = start + length;
    return length;
  }
}
