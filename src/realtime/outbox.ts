import type { Socket } from 'node:net';
import type { RealtimeSocket } from './socket.types.js';

/** A client's session below Socket.IO, whatever it is carried by. */
export type EngineConnection = RealtimeSocket['conn'];

/** A packet that Engine.IO is about to queue. Of a broadcast all connections share `data` and the frame. */
interface Packet {
  data?: string | Buffer;
  options?: { wsPreEncodedFrame?: Buffer[] };
}

/** Node's own side of a connection: only it knows what of a large write the kernel has taken already. */
interface Handle {
  bytesWritten: number;
  writeQueueSize: number;
}

/** What waits for a client, in bytes: queued by Engine.IO, or handed to the connection and not taken by the kernel. */
export class Outbox {
  /** Of what Engine.IO queues; of no meaning while its queue is empty. */
  private queuedBytes = 0;
  /** The connections whose answers to polls are on their way: of a client that reads, one. */
  private polls: Socket[] | undefined;

  constructor(readonly conn: EngineConnection) {}

  /**
   * To be called for each packet, before it is queued. Costs next to nothing when it can leave at once.
   * @returns bytes that wait for their turn, with this packet
   */
  add(packet: Packet): number {
    if (this.conn.transport.writable) return 0;
    if (this.isQueueEmpty()) this.queuedBytes = 0;
    this.queuedBytes += sizeOf(packet);
    return this.queuedBytes;
  }

  /** To be called when the answer to a poll begins. */
  addPoll(connection: Socket): void {
    const unread = this.polls?.filter((poll) => poll !== connection && poll.writableLength > 0) ?? [];
    this.polls = [...unread, connection];
  }

  /** Whether the connections hold more than this, past Engine.IO's queue. Constant time while they do not, however many pieces wait. */
  holdsMoreThan(bytes: number): boolean {
    const isFull = this.connections().some(({ writableLength }) => writableLength > bytes);
    return isFull && this.waitingBytes() > bytes;
  }

  /** All that waits. Constant time while nothing does, else as much as there are pieces. */
  waitingBytes(): number {
    let bytes = this.isQueueEmpty() ? 0 : this.queuedBytes;
    for (const connection of this.connections()) bytes += untakenBytes(connection);
    return bytes;
  }

  /** Ends the session, and its connections without another word: who does not read would not read it. Frees what waits. */
  destroy(): void {
    const connections = this.connections();
    this.conn.close(true);
    for (const connection of connections) connection.destroy();
  }

  private isQueueEmpty(): boolean {
    return this.conn['writeBuffer'].length === 0;
  }

  private connections(): Socket[] {
    // Of a WebSocket its `ws`, which Engine.IO's types do not show; a poll has none.
    const { socket } = this.conn.transport as { socket?: { _socket?: Socket | null } };
    const connection = socket?.['_socket'] ?? undefined;
    return connection === undefined ? (this.polls ?? []) : [connection];
  }
}

function sizeOf({ data, options }: Packet): number {
  const frame = options?.wsPreEncodedFrame;
  if (frame !== undefined) return frame.reduce((bytes, { length }) => bytes + length, 0);
  return data === undefined ? 0 : Buffer.byteLength(data);
}

function untakenBytes(connection: Socket): number {
  if (connection.writableLength === 0) return 0;
  const { _handle: handle } = connection as { _handle?: Partial<Handle> | null };
  const { bytesWritten: handedOver, writeQueueSize } = handle ?? {};
  if (handedOver === undefined || writeQueueSize === undefined) return connection.writableLength;
  return connection.bytesWritten - handedOver + writeQueueSize;
}
