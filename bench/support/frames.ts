const FIN_TEXT = 0x81;
const FIN_CLOSE = 0x88;
const MASKED = 0x80;
/** Clients must mask; the key may be any. */
const KEY = [0x37, 0xfa, 0x21, 0x3d] as const;

/** A text as one masked WebSocket frame; up to 65,535 bytes. */
export function encodeFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const isShort = length < 126;
  const start = isShort ? 6 : 8;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = FIN_TEXT;
  if (isShort) frame[1] = MASKED | length;
  else {
    frame[1] = MASKED | 126;
    frame.writeUInt16BE(length, 2);
  }
  frame.set(KEY, start - 4);
  frame.write(text, start);
  for (let i = 0; i < length; i += 1) frame[start + i] = (frame[start + i] ?? 0) ^ (KEY[i & 3] ?? 0);
  return frame;
}

/** Cuts what a server sends into its texts. Servers of Socket.IO send each message as one frame, unmasked. */
export class FrameReader {
  private rest: Buffer = Buffer.alloc(0);

  /** The texts that are complete with this chunk, in order. */
  read(chunk: Buffer): string[] {
    const data = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const texts: string[] = [];
    let at = 0;
    for (;;) {
      const frame = frameAt(data, at);
      if (frame === undefined) break;
      if (data[at] === FIN_TEXT) texts.push(data.toString('utf8', frame.start, frame.end));
      else if (data[at] !== FIN_CLOSE) throw new Error(`A WebSocket frame of another kind came: ${data[at]}`);
      at = frame.end;
    }
    this.rest = data.subarray(at);
    return texts;
  }
}

function frameAt(data: Buffer, at: number): { start: number; end: number } | undefined {
  if (data.length < at + 2) return undefined;
  const short = (data[at + 1] ?? 0) & 0x7f;
  const header = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (data.length < at + header) return undefined;
  const length =
    short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2));
  const start = at + header;
  return data.length < start + length ? undefined : { start, end: start + length };
}
