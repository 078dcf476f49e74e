import { setTimeout as wait } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { Ack } from '../../../src/contract/ack.js';
import type { DirectMessagePayload } from '../../../src/contract/direct-message.js';
import { until } from '../until.js';
import { astrologer, type Person, tokenFor, user } from '../token.js';

/** Well below the limit of ten a second. */
const MESSAGE_EVERY_MS = 250;
const ACK_PATIENCE_MS = 10_000;

/** One who talks with one other person, and keeps what comes. */
class GoodClient {
  readonly received: DirectMessagePayload[] = [];
  /** Ids of the messages that were acknowledged. */
  readonly acknowledged: string[] = [];
  readonly latencies: number[] = [];
  readonly problems: string[] = [];
  private count = 0;

  private constructor(
    private readonly socket: Socket,
    readonly person: Person,
    readonly peer: Person,
  ) {
    socket.on('dm:message_received', (message: DirectMessagePayload) => this.received.push(message));
    socket.on('disconnect', (reason) => this.problems.push(`${person.id} was disconnected: ${reason}`));
    socket.on('error', (error: unknown) => this.problems.push(`${person.id}: ${JSON.stringify(error)}`));
  }

  static async connect(url: string, person: Person, peer: Person, address: string): Promise<GoodClient> {
    const socket = io(url, {
      auth: { token: await tokenFor(person) },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      extraHeaders: { 'X-Forwarded-For': address },
    });
    const client = new GoodClient(socket, person, peer);
    await new Promise<void>((resolve, reject) => {
      socket.once('connected', () => resolve());
      socket.once('connect_error', reject);
    });
    return client;
  }

  /** Writes a message now and then until it is over. */
  async talk(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const due = wait(MESSAGE_EVERY_MS);
      await this.send();
      await due;
    }
  }

  close(): void {
    this.socket.removeAllListeners();
    this.socket.disconnect();
  }

  private async send(): Promise<void> {
    this.count += 1;
    const content = `message ${this.count}`;
    const message = { recipientId: this.peer.id, recipientType: this.peer.type, content };
    const sentAt = performance.now();
    try {
      const ack = (await this.socket
        .timeout(ACK_PATIENCE_MS)
        .emitWithAck('dm:send_message', message)) as Ack<DirectMessagePayload>;
      this.latencies.push(performance.now() - sentAt);
      if (ack.ok) this.acknowledged.push(ack.data.id);
      else this.problems.push(`${this.person.id}: ${content} was refused: ${ack.error.code}`);
    } catch {
      this.problems.push(`${this.person.id}: ${content} was not answered`);
    }
  }
}

/** Pairs of people who talk with each other, from addresses of their own. */
export class GoodClients {
  private constructor(private readonly clients: GoodClient[]) {}

  /** @param count an even number */
  static async connect(url: string, count: number): Promise<GoodClients> {
    const clients: GoodClient[] = [];
    for (let i = 0; i < count / 2; i += 1) {
      const [asha, ravi] = [user(`good${i}`), astrologer(`good${i}`)];
      clients.push(await GoodClient.connect(url, asha, ravi, `10.1.0.${i + 1}`));
      clients.push(await GoodClient.connect(url, ravi, asha, `10.1.1.${i + 1}`));
    }
    return new GoodClients(clients);
  }

  /** Ids of what is theirs. */
  get ids(): string[] {
    return this.clients.flatMap(({ person, acknowledged }) => [
      person.id,
      `user_${person.id}_${person.id}`,
      ...acknowledged.slice(-2),
    ]);
  }

  /** @returns how long the acks took, in milliseconds */
  async talk(isOver: () => boolean): Promise<number[]> {
    for (const client of this.clients) client.latencies.length = 0;
    await Promise.all(this.clients.map((client) => client.talk(isOver)));
    return this.clients.flatMap(({ latencies }) => latencies);
  }

  /** What went wrong, and whatever was acknowledged and did not come to both, once, and in order. */
  async verify(): Promise<string[]> {
    const problems = this.clients.flatMap((client) => client.problems);
    for (const client of this.clients) {
      const wanted = this.clients
        .filter(({ person, peer }) => sameTalk(person, peer, client))
        .flatMap(({ acknowledged }) => acknowledged);
      const own = (): DirectMessagePayload[] =>
        client.received.filter(({ senderId, recipientId }) => senderId === recipientId);
      await until(() => own().length >= wanted.length).catch(() => undefined);
      const got = own().map(({ id }) => id);
      const { id } = client.person;
      const missing = wanted.filter((message) => !got.includes(message));
      if (missing.length > 0)
        problems.push(`${id} (${client.person.type}) misses ${missing.length} messages`);
      if (new Set(got).size !== got.length) problems.push(`${id}: a message came twice`);
      if (own().some(({ seq }, i) => i > 0 && seq <= (own()[i - 1]?.seq ?? 0)))
        problems.push(`${id}: the order was wrong`);
    }
    return problems;
  }

  get messages(): number {
    return this.clients.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  }

  close(): void {
    for (const client of this.clients) client.close();
  }
}

function sameTalk(person: Person, peer: Person, of: GoodClient): boolean {
  return (person === of.person && peer === of.peer) || (person === of.peer && peer === of.person);
}
