import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { closeAfterAll } from './cleanup.js';
import type { TestClient } from './client.js';

export interface Line {
  port: number;
  /** Ends all connections and takes no more. */
  cut: () => void;
  /** Takes connections again. */
  heal: () => void;
}

/** A way to a port of this machine that can be cut. */
export async function lineTo(port: number): Promise<Line> {
  const ends = new Set<Socket>();
  let isCut = false;
  const cut = (): void => {
    isCut = true;
    for (const end of ends) end.destroy();
    ends.clear();
  };
  const server = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = connect(port, '127.0.0.1');
    for (const end of [near, far]) {
      ends.add(end);
      end.on('error', () => undefined);
    }
    near.pipe(far);
    far.pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeAfterAll(() => {
    cut();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, cut, heal: () => (isCut = false) };
}

/** From here on nothing of it reaches the server any more, as if the network were gone; nobody says goodbye. */
export function silence(client: TestClient): void {
  Object.assign(client.socket.io.engine, { _sendPacket: () => undefined });
}
