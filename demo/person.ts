import { io, type Socket } from 'socket.io-client';
import { type Payload, printAck, printEvent, printRefusal } from './print.js';
import type { DemoServer } from './server.js';

const TIMEOUT_MS = 10_000;

/** A message comes under the second name to the connection that sent it when the server runs with DM_ECHO_TO_SENDER=false. */
export const MESSAGE_EVENTS = ['dm:message_received', 'dm:message_sent'];

interface Answer {
  ok: boolean;
  data?: Payload;
  error?: Payload;
}

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
      printEvent(name, '←', event, payload);
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
    const { ok, data = {}, error } = await this.send(event, payload);
    if (!ok) throw new Error(`${this.name}: ${event} was refused: ${JSON.stringify(error)}`);
    printAck(this.name, event, data);
    return data;
  }

  /** The same, but undefined when it is refused with this code. */
  async sayUnless(event: string, payload: Payload, code: string): Promise<Payload | undefined> {
    const { ok, data = {}, error } = await this.send(event, payload);
    if (ok) printAck(this.name, event, data);
    else if (error?.code === code) printRefusal(this.name, event, error);
    else throw new Error(`${this.name}: ${event} was refused: ${JSON.stringify(error)}`);
    return ok ? data : undefined;
  }

  /** Sends what the server must not accept. */
  async isRefused(event: string, payload: Payload, code: string): Promise<void> {
    const { ok, error = {} } = await this.send(event, payload);
    if (ok || error.code !== code) throw new Error(`${this.name}: ${event} was not refused with ${code}.`);
    printRefusal(this.name, event, error);
  }

  asRecipient(): Payload {
    return { recipientId: this.id, recipientType: this.type };
  }

  expectMessage(id: unknown): Promise<void> {
    return this.expect(MESSAGE_EVENTS, (message) => message.id === id);
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

  private send(event: string, payload: Payload): Promise<Answer> {
    printEvent(this.name, '→', event, payload);
    return this.socket.timeout(TIMEOUT_MS).emitWithAck(event, payload) as Promise<Answer>;
  }
}
