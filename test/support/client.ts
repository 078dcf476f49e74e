import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import type { Ack } from '../../src/contract/ack.js';
import type { ConnectedPayload, ServerEvents } from '../../src/contract/server-events.js';
import { closeAfterTest } from './cleanup.js';
import { type Person, tokenFor } from './token.js';

const PATIENCE_MS = 10_000;

export type Refusal = Error & { data?: { code: string; message: string } };
type ServerEvent = keyof ServerEvents;

/** A client as the apps have one, plus memory: it keeps every event that it got, in order. */
export class TestClient {
  readonly received: { event: string; args: unknown[] }[] = [];
  private readonly watchers = new Set<() => void>();

  constructor(readonly socket: Socket) {
    socket.onAny((event: string, ...args: unknown[]) => {
      this.received.push({ event, args });
      for (const watcher of this.watchers) watcher();
    });
  }

  /** Everything that came under this name so far, oldest first. */
  all<E extends ServerEvent>(event: E): ServerEvents[E][] {
    return this.received
      .filter((entry) => entry.event === event)
      .map((entry) => entry.args[0] as ServerEvents[E]);
  }

  /** The first event of this name that fits, whether it came already or is still to come. */
  async waitFor<E extends ServerEvent>(
    event: E,
    fits: (payload: ServerEvents[E]) => boolean = () => true,
  ): Promise<ServerEvents[E]> {
    const payloads = await this.waitUntil(() => {
      const found = this.all(event).find(fits);
      return found === undefined ? undefined : [found];
    }, event);
    return payloads[0] as ServerEvents[E];
  }

  async waitForCount<E extends ServerEvent>(event: E, count: number): Promise<ServerEvents[E][]> {
    return this.waitUntil(
      () => (this.all(event).length >= count ? this.all(event) : undefined),
      `${count} × ${event}`,
    );
  }

  /** Emits and returns the acknowledgement. */
  async send<T = Record<string, unknown>>(event: string, ...payload: unknown[]): Promise<Ack<T>> {
    return (await this.socket.timeout(PATIENCE_MS).emitWithAck(event, ...payload)) as Ack<T>;
  }

  /** Emits and returns the data of a successful acknowledgement. */
  async ask<T = Record<string, unknown>>(event: string, ...payload: unknown[]): Promise<T> {
    const ack = await this.send<T>(event, ...payload);
    if (!ack.ok) throw new Error(`${event} was refused: ${JSON.stringify(ack.error)}`);
    return ack.data;
  }

  /** Emits without asking for an acknowledgement. */
  tell(event: string, ...payload: unknown[]): void {
    this.socket.emit(event, ...payload);
  }

  close(): void {
    this.socket.disconnect();
  }

  private waitUntil<T>(look: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.watchers.delete(watcher);
        reject(new Error(`${what} did not come; got ${this.received.map(({ event }) => event).join(', ')}`));
      }, PATIENCE_MS);
      const watcher = (): void => {
        const found = look();
        if (found === undefined) return;
        clearTimeout(timer);
        this.watchers.delete(watcher);
        resolve(found);
      };
      this.watchers.add(watcher);
      watcher();
    });
  }
}

type ClientOptions = Partial<ManagerOptions & SocketOptions>;

/** Connects without waiting for anything. Closed when the test ends. */
export function openClient(url: string, options: ClientOptions = {}): TestClient {
  const client = new TestClient(
    io(url, { transports: ['websocket'], forceNew: true, reconnection: false, ...options }),
  );
  closeAfterTest(() => client.close());
  return client;
}

/** Connects as somebody and waits until the server has said `connected`. */
export async function connectAs(
  url: string,
  person: Person,
  options: ClientOptions = {},
): Promise<TestClient & { greeting: ConnectedPayload }> {
  const client = openClient(url, { auth: { token: await tokenFor(person) }, ...options });
  const greeting = await client.waitFor('connected');
  return Object.assign(client, { greeting });
}

/** Connects these people one after the other; who is named twice has two devices. */
export async function connectAll<P extends Person[]>(
  url: string,
  ...people: P
): Promise<{ [I in keyof P]: TestClient }> {
  const clients: TestClient[] = [];
  for (const person of people) clients.push(await connectAs(url, person));
  return clients as { [I in keyof P]: TestClient };
}

/** Connects and returns the refusal; fails when the server lets the socket in. */
export function connectRefused(url: string, options: ClientOptions = {}): Promise<Refusal> {
  const { socket } = openClient(url, options);
  return new Promise((resolve, reject) => {
    socket.once('connect_error', resolve);
    socket.once('connect', () => reject(new Error('the socket was let in')));
  });
}
