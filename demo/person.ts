import { io, type Socket } from 'socket.io-client';
import type { DemoServer } from './server.js';

const TIMEOUT_MS = 10_000;

type Payload = Record<string, unknown>;

/** Somebody in the demo: speaks, and has everything that reaches them printed. */
export class Person {
  private readonly received: { event: string; payload: Payload }[] = [];
  private readonly watchers = new Set<() => void>();

  private constructor(
    readonly name: string,
    readonly id: string,
    readonly type: string,
    private readonly socket: Socket,
  ) {
    socket.onAny((event: string, payload: Payload) => {
      this.received.push({ event, payload });
      print(name, '←', event, payload);
      for (const look of this.watchers) look();
    });
  }

  /** Resolves when the server has said `connected`; rejects when it refuses. */
  static async connect(server: DemoServer, type: string, id: string, name: string): Promise<Person> {
    const token = await server.tokenFor(type, id, name);
    const socket = io(server.url, { auth: { token }, forceNew: true, reconnection: false });
    const person = new Person(name, id, type, socket);
    const refused = new Promise<never>((_, reject) => {
      socket.once('connect_error', (error) => reject(new Error(`${name} was refused: ${error.message}`)));
    });
    await Promise.race([person.expect(['connected']), refused]);
    return person;
  }

  /** Sends an event and waits for its acknowledgement. */
  async say(event: string, payload: Payload): Promise<Payload> {
    print(this.name, '→', event, payload);
    const answer = (await this.socket.timeout(TIMEOUT_MS).emitWithAck(event, payload)) as {
      ok: boolean;
      data?: Payload;
      error?: Payload;
    };
    if (!answer.ok) throw new Error(`${this.name}: ${event} was refused: ${JSON.stringify(answer.error)}`);
    return answer.data ?? {};
  }

  /** Waits until one of the events came with a payload that fits, whether that is so already or not. */
  async expect(events: string[], fits: (payload: Payload) => boolean = () => true): Promise<void> {
    await this.expectCount(events, fits, 1);
  }

  private async expectCount(
    events: string[],
    fits: (payload: Payload) => boolean,
    count: number,
  ): Promise<void> {
    if (this.count(events, fits) >= count) return;
    let look = (): void => {};
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(
          () => reject(new Error(`${this.name} never got ${events.join(' or ')}`)),
          TIMEOUT_MS,
        );
        look = (): void => {
          if (this.count(events, fits) >= count) resolve();
        };
        this.watchers.add(look);
      });
    } finally {
      clearTimeout(timer);
      this.watchers.delete(look);
    }
  }

  count(events: string[], fits: (payload: Payload) => boolean): number {
    return this.received.filter(({ event, payload }) => events.includes(event) && fits(payload)).length;
  }

  /** Loses the connection, as a phone in a tunnel does. */
  disconnect(): Promise<void> {
    return new Promise((resolve) => {
      this.socket.once('disconnect', () => resolve());
      this.socket.disconnect();
    });
  }

  async reconnect(): Promise<void> {
    const before = this.count(['connected'], () => true);
    this.socket.connect();
    await this.expectCount(['connected'], () => true, before + 1);
  }

  leave(): void {
    this.socket.disconnect();
  }
}

const SHOWN_FIELDS = [
  'conversationId',
  'seq',
  'upToSeq',
  'unreadCount',
  'emoji',
  'userName',
  'senderName',
  'content',
  'status',
  'total',
  'success',
  'code',
  'message',
];

function print(name: string, arrow: string, event: string, payload: Payload): void {
  const shown = SHOWN_FIELDS.filter((field) => payload[field] !== undefined && payload[field] !== null).map(
    (field) => `${field}=${JSON.stringify(payload[field])}`,
  );
  process.stdout.write(
    `${`  ${name.padEnd(8)} ${arrow} ${event.padEnd(22)} ${shown.join(' ')}`.trimEnd()}\n`,
  );
}
