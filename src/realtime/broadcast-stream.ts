import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { RedisWatch } from '../redis/redis-watch.js';

/** After an error of Redis the reader would ask again at once, without end. */
const PAUSE_MS = 500;
/** What is older when it is read is not delivered any more: clients have caught up, and it would only surprise. */
const MAX_AGE_MS = 5000;
/** A field beside the package's own: when the entry was sent, in ms by the clock of Redis. */
const SENT_AT = 'sentAt';

type Command = (...args: unknown[]) => Promise<unknown>;

/** Notes in each entry when it was sent: Redis's own id says only when it arrived, which a Redis that hung does late. */
export function noteSendingTimes(publisher: Redis, watch: RedisWatch): void {
  const add = publisher.xadd.bind(publisher) as Command;
  const xadd = async (args: unknown[]): Promise<unknown> => {
    const now = watch.now();
    try {
      const id = await add([...args, ...(now === undefined ? [] : [SENT_AT, Math.round(now)])]);
      watch.noteSuccess('XADD');
      return id;
    } catch (error) {
      watch.noteFailure('XADD', error);
      throw error;
    }
  };
  Object.assign(publisher, { xadd });
}

/** Whether an entry came too late to be delivered. What has no time comes from a node of a former version. */
export function isTooOld(entry: Record<string, string>, watch: RedisWatch): boolean {
  const now = watch.now();
  return now !== undefined && now - Number(entry[SENT_AT]) > MAX_AGE_MS;
}

/**
 * Puts right the place from which the package reads. It says “from the end” until it has read something, so what is sent between two of its
 * questions would be missed: here the end is looked up once, and is the place from then on. And it would wait for ids that a stream which
 * began anew, with a clock behind, reaches only later: such a stream is read from its beginning.
 */
export class StreamPlace {
  private isClosing = false;
  private start: string | undefined;
  /** The package's place that the stream does not reach any more. */
  private lost: string | undefined;
  private tellIsKnown: () => void = () => undefined;
  /** Resolves when it is known from where to read: nothing that is sent from then on is missed. */
  readonly isKnown = new Promise<void>((resolve) => (this.tellIsKnown = resolve));

  constructor(
    private readonly stream: string,
    private readonly watch: RedisWatch,
  ) {}

  follow(reader: Redis): void {
    const read = reader.xread.bind(reader) as Command;
    const xread = async (...args: unknown[]): Promise<unknown> => {
      try {
        const wanted = String(args.at(-1));
        const place = await this.placeFor(wanted, reader);
        const entries = await read(...args.slice(0, -1), place);
        this.watch.noteSuccess('XREAD');
        // Nothing came for a while: is it that nothing can?
        if (entries === null && isBefore(await endOf(this.stream, reader), place)) this.lost = wanted;
        return entries;
      } catch (error) {
        this.watch.noteFailure('XREAD', error);
        if (!this.isClosing) await wait(PAUSE_MS);
        throw error;
      }
    };
    Object.assign(reader, { xread });
  }

  close(): void {
    this.isClosing = true;
  }

  private async placeFor(wanted: string, reader: Redis): Promise<string> {
    if (wanted === this.lost) return '0-0';
    if (wanted !== '$') return wanted;
    this.start ??= await endOf(this.stream, reader);
    this.tellIsKnown();
    return this.start;
  }
}

async function endOf(stream: string, reader: Redis): Promise<string> {
  const [newest] = await reader.xrevrange(stream, '+', '-', 'COUNT', 1);
  return newest?.[0] ?? '0-0';
}

function isBefore(id: string, other: string): boolean {
  const [time = 0, number = 0] = id.split('-').map(Number);
  const [otherTime = 0, otherNumber = 0] = other.split('-').map(Number);
  return time < otherTime || (time === otherTime && number < otherNumber);
}
