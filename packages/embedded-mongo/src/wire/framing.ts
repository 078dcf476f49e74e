/** Largest message accepted, header included, in bytes: what `hello` reports as maxMessageSizeBytes. */
export const MAX_MESSAGE_SIZE = 48_000_000;
export const HEADER_SIZE = 16;

/** The stream cannot be followed any further: the connection has to be closed. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/**
 * Cuts a byte stream into messages. It holds only bytes that have arrived: a length is checked as soon as its four bytes
 * are there, and nothing is reserved because a header claims it.
 */
export class Framer {
  private chunks: Buffer[] = [];
  private size = 0;
  private needed = HEADER_SIZE;

  /** Adds what the socket delivered and returns the messages that are now complete. Throws ProtocolError on a bad length. */
  push(chunk: Buffer): Buffer[] {
    this.chunks.push(chunk);
    this.size += chunk.length;
    const messages: Buffer[] = [];
    while (this.size >= this.needed) {
      const buffered = this.join();
      const length = buffered.readInt32LE(0);
      if (length < HEADER_SIZE || length > MAX_MESSAGE_SIZE) {
        throw new ProtocolError(`message length ${length} is outside ${HEADER_SIZE}..${MAX_MESSAGE_SIZE}`);
      }
      this.needed = length;
      if (this.size < length) break;
      messages.push(buffered.subarray(0, length));
      this.chunks = this.size > length ? [buffered.subarray(length)] : [];
      this.size -= length;
      this.needed = HEADER_SIZE;
    }
    return messages;
  }

  private join(): Buffer {
    const [first] = this.chunks;
    if (this.chunks.length === 1 && first) return first;
    const joined = Buffer.concat(this.chunks, this.size);
    this.chunks = [joined];
    return joined;
  }
}
