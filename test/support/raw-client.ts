import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { encodeFrame, FrameReader } from '../../bench/support/frames.js';
import type { TestApp } from './app.js';
import { closeAfterAll, closeAfterTest } from './cleanup.js';
import { temporaryFolder } from './processes.js';
import { type Person, tokenFor } from './token.js';

const END_OF_HEADERS = '\r\n\r\n';
const REQUEST = [
  'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhpcyBpcyBhIHRlc3QuLg==',
];
/** Less than the server's interval of pings: it then never asks. */
const PONG_INTERVAL_MS = 4000;

/**
 * A door to the server beside its port, of which the kernel keeps only some 200 KB for a client that does not read. Of a TCP connection of
 * this machine it keeps megabytes.
 * @returns the path of the door
 */
export async function narrowDoorOf({ app }: TestApp): Promise<string> {
  const path = join(await temporaryFolder(), 'door');
  const http = app.getHttpServer();
  const server = createServer((connection) => void http.emit('connection', connection)).listen(path);
  await once(server, 'listening');
  closeAfterAll(() => server.close());
  return path;
}

/**
 * A client of Socket.IO's protocol over one WebSocket that reads only when it is told to. It says that it is alive without being asked, so
 * that the server's pings never end it. Closed when the test ends.
 */
export class RawClient {
  /** What it has read, from `connected` on: Engine.IO's messages. */
  readonly texts: string[] = [];
  isEnded = false;
  socketId = '';
  private readonly frames = new FrameReader();

  private constructor(private readonly connection: Socket) {}

  /** Connects as somebody and reads up to `connected`, and then nothing more. */
  static async connectAs(path: string, person: Person): Promise<RawClient> {
    const connection = connect({ path });
    const client = new RawClient(connection);
    const pong = setInterval(() => connection.write(encodeFrame('3')), PONG_INTERVAL_MS);
    closeAfterTest(() => connection.destroy());
    connection.on('error', () => undefined);
    for (const event of ['end', 'close'])
      connection.on(event, () => {
        client.isEnded = true;
        clearInterval(pong);
      });
    await client.upgrade();
    await client.enter(await tokenFor(person));
    return client;
  }

  /** Reads all that comes from now on. */
  read(): void {
    this.connection.resume();
  }

  /** Sends bytes as they are, and resolves when the next can be sent, or none any more. */
  async write(data: Buffer): Promise<void> {
    if (this.connection.write(data)) return;
    const isReady = ['drain', 'close'].map((event) => once(this.connection, event));
    await Promise.race(isReady).catch(() => undefined);
  }

  /** Reads at this speed at the most, until `isEnough` or the end. */
  async readSlowly(isEnough: () => boolean, bytesPerSecond: number): Promise<void> {
    const { connection } = this;
    const start = performance.now();
    const alreadyRead = connection.bytesRead;
    const lead = (): number =>
      connection.bytesRead - alreadyRead - ((performance.now() - start) / 1000) * bytesPerSecond;
    connection.on('data', () => {
      if (lead() > 0) connection.pause();
    });
    while (!isEnough() && !this.isEnded) {
      if (lead() <= 0) connection.resume();
      await wait(20);
    }
  }

  private async upgrade(): Promise<void> {
    this.connection.write(REQUEST.join('\r\n') + END_OF_HEADERS);
    let headers = Buffer.alloc(0);
    while (!headers.includes(END_OF_HEADERS)) {
      const [chunk] = (await once(this.connection, 'data')) as [Buffer];
      headers = Buffer.concat([headers, chunk]);
    }
    this.connection.on('data', (chunk) => this.take(chunk));
    this.take(headers.subarray(headers.indexOf(END_OF_HEADERS) + END_OF_HEADERS.length));
  }

  private async enter(token: string): Promise<void> {
    this.connection.write(encodeFrame(`40${JSON.stringify({ token })}`));
    while (!this.texts.some((text) => text.startsWith('42["connected"'))) {
      if (this.isEnded) throw new Error(`the server ended the connection; it said ${this.texts.join(', ')}`);
      await once(this.connection, 'data');
    }
    this.connection.pause();
    const { sid } = JSON.parse(this.texts.find((text) => text.startsWith('40'))?.slice(2) ?? '') as {
      sid: string;
    };
    this.socketId = sid;
  }

  private take(chunk: Buffer): void {
    this.texts.push(...this.frames.read(chunk));
  }
}
