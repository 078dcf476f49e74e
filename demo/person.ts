import { io, type Socket } from 'socket.io-client';
import type { DemoServer } from './server.js';

const PATIENCE_MS = 10_000;

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
      for (const watcher of this.watchers) watcher();
    });
  }

  static async connect(server: DemoServer, type: string, id: string, name: string): Promise<Person> {
    const token = await server.tokenFor(type, id, name);
    const person = new Person(
      name,
      id,
      type,
      io(server.url, { auth: { token }, forceNew: true, reconnection: false }),
    );
    person.socket.on('connect_error', (error) =>
      process.stdout.write(`${name}: refused: ${error.message}\n`),
    );
    await person.expect('connected');
    return person;
  }

  /** Sends an event and waits for its acknowledgement. */
  async say(event: string, payload: Payload): Promise<Payload> {
    print(this.name, '→', event, payload);
    const answer = (await this.socket.timeout(PATIENCE_MS).emitWithAck(event, payload)) as {
      ok: boolean;
      data?: Payload;
      error?: Payload;
    };
    if (!answer.ok) throw new Error(`${this.name}: ${event} was refused: ${JSON.stringify(answer.error)}`);
    return answer.data ?? {};
  }

  /** Waits for an event that fits, whether it came already or not. */
  expect(event: string, fits: (payload: Payload) => boolean = () => true): Promise<Payload> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.name} never got ${event}`)), PATIENCE_MS);
      const look = (): void => {
        const found = this.received.find((entry) => entry.event === event && fits(entry.payload));
        if (found === undefined) return;
        clearTimeout(timer);
        this.watchers.delete(look);
        resolve(found.payload);
      };
      this.watchers.add(look);
      look();
    });
  }

  count(event: string, fits: (payload: Payload) => boolean): number {
    return this.received.filter((entry) => entry.event === event && fits(entry.payload)).length;
  }

  leave(): void {
    this.socket.disconnect();
  }
}

const SHOWN_FIELDS = [
  'conversationId',
  'seq',
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
  process.stdout.write(`  ${name.padEnd(8)} ${arrow} ${event.padEnd(22)} ${shown.join(' ')}\n`);
}
