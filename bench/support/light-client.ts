import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeFrame, FrameReader } from './frames.js';

const END_OF_HEADERS = '\r\n\r\n';

/** Less than any server's interval of pings: it then never asks. */
const PONG_INTERVAL_MS = 4000;

type AckCallback = (answer: unknown) => void;

/**
 * A client of Socket.IO's protocol over one WebSocket, with as little work of its own as possible: a machine that has to carry the load
 * generator beside the servers should spend its time on the servers. No reconnecting, no polling, no binary, no namespaces.
 */
export class LightClient {
  /** Called for each event that the server sends. */
  onEvent: (event: string, payload: unknown) => void = () => {};
  /** Called with the text of each event, `42["name",payload]`: whoever puts another in its place saves the parsing. */
  onEventText: (text: string) => void = (text) => {
    const [event, payload] = JSON.parse(text.slice(2)) as [string, unknown];
    this.onEvent(event, payload);
  };
  /** Called when it fails after it was let in. Ends the process unless it is replaced: the figures would mean nothing. */
  onFailure: (error: Error) => void = (error) => {
    throw error;
  };
  /** Texts that have come so far, of whatever kind. */
  frameCount = 0;
  private readonly frames = new FrameReader();
  private readonly acks = new Map<number, AckCallback>();
  private nextAck = 0;
  private isClosing = false;
  private isGreeted = false;
  private greeted = (): void => {};

  private constructor(
    private readonly socket: Socket,
    private readonly auth: object,
    private readonly admitted: () => void,
    private failed: (error: Error) => void,
  ) {}

  /**
   * Resolves when the server has let it in.
   * @param url or the path of a Unix socket
   */
  static async connect(url: string, auth: object): Promise<LightClient> {
    const socket = connect({ ...placeOf(url), noDelay: true });
    await once(socket, 'connect');
    const client = await new Promise<LightClient>((resolve, reject) => {
      const created: LightClient = new LightClient(socket, auth, () => resolve(created), reject);
      created.upgrade();
    });
    client.failed = (error) => client.onFailure(error);
    return client;
  }

  /** As `connect`, and until the server has greeted it, which is when the apps begin to ask. */
  static async greeted(url: string, auth: object): Promise<LightClient> {
    const client = await LightClient.connect(url, auth);
    // It may have come already, in one piece with the admission.
    if (!client.isGreeted) await new Promise<void>((resolve) => (client.greeted = resolve));
    return client;
  }

  emit(event: string, payload: unknown, ack: AckCallback): void {
    const id = this.nextAck++;
    this.acks.set(id, ack);
    this.socket.write(encodeFrame(`42${id}${JSON.stringify([event, payload])}`));
  }

  /**
   * Emits and returns the data of a successful acknowledgement.
   * @throws when it is refused
   */
  async ask<T>(event: string, payload: unknown): Promise<T> {
    const answer = await new Promise<unknown>((resolve) => this.emit(event, payload, resolve));
    const { ok, data } = answer as { ok: boolean; data: T };
    if (!ok) throw new Error(`${event} was refused: ${JSON.stringify(answer)}`);
    return data;
  }

  /** From now on it reads nothing and answers nothing, as if its network were gone. Its connection stays open. */
  vanish(): void {
    this.socket.pause();
  }

  /** From now on it reads nothing, but says unasked that it is alive, so that the server's pings do not end it. */
  stall(): void {
    this.socket.pause();
    const pong = setInterval(() => this.socket.write(encodeFrame('3')), PONG_INTERVAL_MS);
    this.socket.once('close', () => clearInterval(pong));
  }

  close(): void {
    this.isClosing = true;
    this.socket.destroy();
  }

  private upgrade(): void {
    this.socket.write(
      [
        'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
        'Host: localhost',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: YSBiZW5jaCBjbGllbnQuLg==',
      ].join('\r\n') + END_OF_HEADERS,
    );
    let headers = Buffer.alloc(0);
    const readHeaders = (chunk: Buffer): void => {
      headers = Buffer.concat([headers, chunk]);
      const end = headers.indexOf(END_OF_HEADERS);
      if (end < 0) return;
      this.socket.off('data', readHeaders);
      if (!headers.toString('latin1').startsWith('HTTP/1.1 101')) return this.fail('was refused');
      this.socket.on('data', (data: Buffer) => this.read(data));
      this.read(headers.subarray(end + END_OF_HEADERS.length));
    };
    this.socket.on('data', readHeaders);
    this.socket.on('error', ({ message }) => this.fail(message));
    this.socket.on('close', () => this.fail('was closed'));
  }

  private read(chunk: Buffer): void {
    for (const text of this.frames.read(chunk)) this.receive(text);
  }

  /** The first digit is Engine.IO's, the second Socket.IO's. */
  private receive(text: string): void {
    this.frameCount += 1;
    if (text.startsWith('42')) this.receiveEvent(text);
    else if (text.startsWith('43')) {
      const start = text.indexOf('[');
      const id = Number(text.slice(2, start));
      const [answer] = JSON.parse(text.slice(start)) as [unknown];
      const ack = this.acks.get(id);
      this.acks.delete(id);
      if (ack === undefined) this.fail(`was answered twice: ${text}`);
      else ack(answer);
    } else if (text === '2') this.socket.write(encodeFrame('3'));
    else if (text.startsWith('40')) this.admitted();
    else if (text.startsWith('0')) this.socket.write(encodeFrame(`40${JSON.stringify(this.auth)}`));
    else this.fail(`got ${text}`);
  }

  private receiveEvent(text: string): void {
    this.onEventText(text);
    if (this.isGreeted || !text.startsWith('42["connected"')) return;
    this.isGreeted = true;
    this.greeted();
  }

  private fail(why: string): void {
    if (!this.isClosing) this.failed(new Error(`A client ${why}`));
  }
}

function placeOf(url: string): { path: string } | { host: string; port: number } {
  if (url.startsWith('/')) return { path: url };
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
