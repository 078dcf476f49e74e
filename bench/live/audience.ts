import { createHash } from 'node:crypto';
import type { LightClient } from '../support/light-client.js';
import { SameOrder } from '../support/same-order.js';
import { joinAll } from './crowd.js';
import type { AudienceOrder, Seen } from './load-orders.js';

const COMMENT = '42["live:comment",';
/** As people write them. */
const CONTENT = 'Namaste guruji! Mera janm 4:35 subah Jaipur mein hua 🙏';

/** A comment on its way. Times are `performance.now()`. */
interface Pending {
  due: number;
  onEverywhere: () => void;
}

/** The part of a stream's viewers that one process holds; all of them must see every comment once, in the same order. */
export class Audience {
  private readonly pending = new Map<string, Pending>();
  private readonly order: SameOrder;
  private digest = '';
  private count = 0;
  private nextWriter = 0;
  bytes = 0;

  private constructor(
    private readonly streamId: string,
    private readonly writers: LightClient[],
    private readonly viewers: LightClient[],
    private readonly onEverywhere: (milliseconds: number) => void,
  ) {
    this.order = new SameOrder(
      (text) => this.everybodyHas(text),
      (problem) => {
        throw new Error(`A viewer ${problem}`);
      },
    );
    for (const client of this.clients) {
      const see = this.order.viewer();
      client.onEventText = (text) => {
        if (text.startsWith(COMMENT)) see(text);
      };
    }
  }

  /** @param onEverywhere called with what each comment took from when it was due until everybody here had it */
  static async join(order: AudienceOrder, onEverywhere: (milliseconds: number) => void): Promise<Audience> {
    const { writers, auths, ...place } = order;
    const writing = await joinAll({ ...place, auths: writers });
    return new Audience(order.streamId, writing, await joinAll({ ...place, auths }), onEverywhere);
  }

  get writerCount(): number {
    return this.writers.length;
  }

  get inFlight(): number {
    return this.pending.size;
  }

  get deliveries(): number {
    return this.order.deliveries;
  }

  get seen(): Seen {
    return { comments: this.order.length, digest: this.digest };
  }

  /** The writers take turns. */
  comment(due: number, onEverywhere: () => void = () => {}): void {
    const message = `${CONTENT} ${process.pid}-${(this.count += 1)}`;
    this.pending.set(message, { due, onEverywhere });
    const writer = this.writers[this.nextWriter++ % this.writers.length];
    writer?.emit('live:comment', { streamId: this.streamId, message }, (answer) => {
      if (!(answer as { ok: boolean }).ok)
        throw new Error(`A comment was refused: ${JSON.stringify(answer)}`);
    });
  }

  close(): void {
    for (const client of this.clients) client.close();
  }

  private get clients(): LightClient[] {
    return [...this.writers, ...this.viewers];
  }

  private everybodyHas(text: string): void {
    this.bytes = Buffer.byteLength(text);
    this.digest = createHash('sha256').update(this.digest).update(text).digest('hex');
    const [, { message }] = JSON.parse(text.slice(2)) as [string, { message: string }];
    const own = this.pending.get(message);
    if (own === undefined) return;
    this.pending.delete(message);
    this.onEverywhere(performance.now() - own.due);
    own.onEverywhere();
  }
}
