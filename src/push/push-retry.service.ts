import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Types } from 'mongoose';
import { DeletedMessages } from './deleted-messages.js';
import { FcmSender } from './fcm-sender.js';
import { type Push, ringOf } from './push-data.js';
import { PushRetryRepository } from './push-retry.repository.js';
import { PushRetry } from './push-retry.schema.js';

/** How often a node looks for what other nodes have left. */
const LOOK_INTERVAL_MS = 5000;
/** Read by one look. */
const BATCH = 100;
/** Longer than an attempt takes; if a node dies during one, the push is due again after this. */
const CLAIM_MS = 30_000;
/** About 50 MB; while FCM is away for long, what is more is not stored. */
const MAX_STORED = 50_000;
const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 5 * 60_000;

/** A push, and how often it was tried, for one device or (null) all of its party's. */
export interface Unsent {
  push: Push;
  deviceId: string | null;
  attempts: number;
}

/**
 * Milliseconds until the next attempt: 1 s, 2 s, 4 s, … up to 5 min, each lengthened by up to a half at random, so that what failed
 * together is not tried together; never sooner than FCM asked for.
 */
export function delayAfter(attempts: number, minDelayMs: number): number {
  const backOff = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempts - 1));
  return Math.max(backOff, minDelayMs) * (1 + Math.random() / 2);
}

/** The pushes that are to be tried again, which any node does, and a restart does not lose. One read every 5 s, or when one is due. */
@Injectable()
export class PushRetryService implements OnApplicationBootstrap {
  private readonly logger = new Logger(PushRetryService.name);
  /** Given to this node's queue and not done yet. */
  private readonly handed = new Set<string>();
  private handler: ((retry: PushRetry) => boolean) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private nextLookAt = Infinity;
  private stored = 0;
  private isAway = false;
  private isClosed = false;

  constructor(
    private readonly retries: PushRetryRepository,
    private readonly sender: FcmSender,
    private readonly deleted: DeletedMessages,
  ) {}

  /** `handler` gets each push that is due, and says whether it takes it now; if so, `release` follows. */
  onDue(handler: (retry: PushRetry) => boolean): void {
    this.handler = handler;
  }

  onApplicationBootstrap(): void {
    if (this.sender.isConfigured) this.lookAt(Date.now());
  }

  /** From now on nothing is handed out. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  /** Stores pushes to be tried after `delayMs`; rings, deleted messages, and those whose time is over by then, are given up. One round trip. */
  async store(unsent: Unsent[], delayMs: number): Promise<void> {
    const dueAt = new Date(Date.now() + delayMs);
    const fresh = unsent.filter(
      ({ push }) => ringOf(push) === undefined && dueAt < push.retryUntil && !this.deleted.hasHere(push),
    );
    const room = Math.max(0, MAX_STORED - this.stored);
    if (fresh.length > room) this.logger.warn(`${fresh.length - room} pushes are given up: too many wait`);
    const retries = fresh.slice(0, room).map((entry) => toRetry(entry, dueAt));
    if (retries.length === 0) return;
    this.stored += retries.length;
    await this.retries.insert(retries);
    this.lookAt(dueAt.getTime());
  }

  /** Takes a push for this node; null when another was faster. One round trip. */
  async claim(retry: PushRetry): Promise<PushRetry | null> {
    const dueAt = new Date(Date.now() + CLAIM_MS);
    const attempts = retry.attempts + 1;
    return (await this.retries.move(retry, dueAt, attempts))
      ? Object.assign({}, retry, { dueAt, attempts })
      : null;
  }

  /** Puts a claimed push off, or gives it up when its time would be over. One round trip. */
  async postpone(claimed: PushRetry, minDelayMs: number): Promise<void> {
    const dueAt = new Date(Date.now() + delayAfter(claimed.attempts, minDelayMs));
    if (dueAt >= claimed.retryUntil) return this.remove(claimed);
    await this.retries.move(claimed, dueAt, claimed.attempts);
    this.lookAt(dueAt.getTime());
  }

  /** Gives a claimed push back as if it had not been tried. One round trip. */
  async giveBack(claimed: PushRetry): Promise<void> {
    await this.retries.move(claimed, new Date(), claimed.attempts - 1);
  }

  /** One round trip. */
  async remove(retry: PushRetry): Promise<void> {
    await this.retries.remove(retry);
  }

  /** The push is not this node's concern any more. */
  release({ _id }: PushRetry): void {
    this.handed.delete(_id.toString());
    // A full batch: there may be more that are due.
    if (this.handed.size === 0) this.lookAt(Date.now());
  }

  private lookAt(time: number): void {
    if (this.isClosed || time >= this.nextLookAt) return;
    clearTimeout(this.timer);
    this.nextLookAt = time;
    this.timer = setTimeout(() => void this.look(), Math.max(0, time - Date.now())).unref();
  }

  /** Never rejects. */
  private async look(): Promise<void> {
    this.nextLookAt = Infinity;
    let next = Date.now() + LOOK_INTERVAL_MS;
    try {
      const soonest = await this.retries.findSoonest(BATCH);
      this.stored = await this.retries.count();
      const now = Date.now();
      for (const retry of soonest) {
        if (retry.dueAt.getTime() > now) next = Math.min(next, retry.dueAt.getTime());
        else this.handOut(retry);
      }
      this.isAway = false;
    } catch (error) {
      // Once for each outage: the next looks would only say the same.
      if (!this.isAway && !this.isClosed)
        this.logger.warn(`Pushes cannot be tried again now: ${(error as Error).name}`);
      this.isAway = true;
    }
    this.lookAt(next);
  }

  private handOut(retry: PushRetry): void {
    const id = retry._id.toString();
    if (this.isClosed || this.handed.has(id)) return;
    this.handed.add(id);
    if (this.handler?.(retry) !== true) this.handed.delete(id);
  }
}

function toRetry({ push, deviceId, attempts }: Unsent, dueAt: Date): PushRetry {
  const { party, data, expiresAt, retryUntil } = push;
  return {
    _id: new Types.ObjectId(),
    party,
    deviceId,
    data: data as PushRetry['data'],
    attempts,
    dueAt,
    expiresAt,
    retryUntil,
  };
}
