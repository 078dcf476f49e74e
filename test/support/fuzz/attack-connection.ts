import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeFrame } from '../../../bench/support/frames.js';

const END_OF_HEADERS = '\r\n\r\n';
/** Less than the server's interval of pings: it then never finds the connection dead. */
const PONG_INTERVAL_MS = 4000;
const PATIENCE_MS = 5000;

/** A TCP connection that says whatever it is told to, and throws away what it hears. */
export class AttackConnection {
  private pong: NodeJS.Timeout | undefined;

  private constructor(private readonly socket: Socket) {}

  static async open(url: string): Promise<AttackConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    socket.setTimeout(PATIENCE_MS * 4, () => socket.destroy());
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    socket.resume();
    return new AttackConnection(socket);
  }

  /** Speaks WebSocket and Engine.IO, and asks for nothing yet. */
  static async openWebSocket(url: string, address: string): Promise<AttackConnection> {
    const connection = await AttackConnection.open(url);
    connection.write(
      [
        'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
        'Host: localhost',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: YW4gYXR0YWNrZXIncyBrZQ==',
        `X-Forwarded-For: ${address}`,
      ].join('\r\n') + END_OF_HEADERS,
    );
    await Promise.race([once(connection.socket, 'data'), once(connection.socket, 'close')]);
    connection.pong = setInterval(() => connection.text('3'), PONG_INTERVAL_MS);
    return connection;
  }

  get isOpen(): boolean {
    return !this.socket.destroyed && this.socket.writable;
  }

  /** Bytes as they are. */
  write(data: string | Buffer): void {
    if (this.isOpen) this.socket.write(data);
  }

  /** A text as one WebSocket frame; up to 65,535 bytes. */
  text(text: string): void {
    this.write(encodeFrame(text));
  }

  close(): void {
    clearInterval(this.pong);
    this.socket.destroy();
  }
}
