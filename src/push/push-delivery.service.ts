import { setTimeout as wait } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { type Party, partyOfKey } from '../contract/identity.js';
import { DeletedMessages } from './deleted-messages.js';
import type { SendResult } from './fcm-answer.js';
import { toFcmMessage } from './fcm-message.js';
import { FcmSender } from './fcm-sender.js';
import { type Push, ringOf } from './push-data.js';
import { PushDeviceRepository } from './push-device.repository.js';
import type { PushDevice } from './push-device.schema.js';
import { PushDeviceService } from './push-device.service.js';
import { PushQueue } from './push-queue.js';
import type { PushRetry } from './push-retry.schema.js';
import { delayAfter, PushRetryService, type Unsent } from './push-retry.service.js';
import { RingCancels } from './ring-cancels.js';

/** With 100 places for messages, a node sends some 900 a second to an FCM that takes 100 ms. Calls and cancels have 50 more. */
const LIMITS = { inFlight: 150, reserved: 50, waiting: 2000 };
/** Rings that wait in memory for their next attempt. */
const MAX_WAITING_RINGS = 1000;
const DROP_LOG_INTERVAL_MS = 60_000;
/** At a shutdown: what is under way gets this long, and then the database this long to take what is left. */
const FINISH_TIMEOUT_MS = 300;
const KEEP_TIMEOUT_MS = 700;
/** A device that was read longer ago is read again: a token that waits may become somebody else's. */
const FRESH_MS = 1000;

/** A push for all devices of its party (no device yet), for one of them, or one that was stored for another attempt. */
interface Task extends Unsent {
  stored?: PushRetry;
  /** The same for other parties: all their devices are looked up together. */
  others?: Push[];
  /** As it was read at `readAt`, `performance.now()`. */
  found?: { device: PushDevice; readAt: number };
}

/**
 * Takes pushes to devices, behind the events that caused them: at most 100 of messages and 50 of calls at a time, at most 2,000 of each
 * kind waiting. What is lost with a killed process are pushes that had not been tried yet: they are hints, and clients catch up when they
 * connect.
 */
@Injectable()
export class PushDeliveryService implements BeforeApplicationShutdown {
  private readonly logger = new Logger(PushDeliveryService.name);
  private readonly queue = new PushQueue<Task>(
    LIMITS,
    (task) => this.work(task),
    (task) => this.drop(task),
  );
  private waitingRings = 0;
  private dropsLoggedAt = -Infinity;
  private isAway = false;
  private isClosing = false;
  private readonly retryChecks: ((recipient: Party, conversationId: string) => Promise<boolean>)[] = [];

  constructor(
    private readonly sender: FcmSender,
    private readonly devices: PushDeviceService,
    private readonly deviceRepository: PushDeviceRepository,
    private readonly retries: PushRetryService,
    private readonly rings: RingCancels,
    private readonly deleted: DeletedMessages,
  ) {
    retries.onDue((stored) => this.takeStored(stored));
  }

  /** As `PushService.beforeRetry`. */
  beforeRetry(isStillFor: (recipient: Party, conversationId: string) => Promise<boolean>): void {
    this.retryChecks.push(isStillFor);
  }

  /** Returns at once. */
  submit(push: Push): void {
    this.enqueue({ push, deviceId: null, attempts: 0 });
  }

  /** The same to several parties, in one task until their devices are known. Returns at once. */
  submitAll([push, ...others]: Push[]): void {
    if (push !== undefined) this.enqueue({ push, others, deviceId: null, attempts: 0 });
  }

  /** What has not gone out is stored for the other nodes, or for the next start; rings are given up. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isClosing = true;
    this.retries.close();
    const waiting = this.queue
      .takeWaiting()
      .filter(({ stored }) => stored === undefined)
      .flatMap(apart);
    await Promise.race([this.queue.settle(), pause(FINISH_TIMEOUT_MS)]);
    this.sender.abortAll();
    const keeping = this.retries
      .store(waiting, 0)
      .catch((error: unknown) =>
        this.logger.warn(`Pushes are lost at the shutdown: ${(error as Error).name}`),
      );
    await Promise.race([Promise.all([keeping, this.queue.settle()]), pause(KEEP_TIMEOUT_MS)]);
  }

  private enqueue(task: Task): void {
    if (!this.isClosing) this.queue.add(task, task.push.data.type !== 'message');
  }

  private takeStored(stored: PushRetry): boolean {
    if (this.isClosing || this.queue.isCrowded) return false;
    const { party, data, expiresAt, retryUntil, deviceId, attempts } = stored;
    this.enqueue({ push: { party, data, expiresAt, retryUntil }, deviceId, attempts, stored });
    return true;
  }

  private drop({ stored }: Task): void {
    if (stored !== undefined) return this.retries.release(stored);
    if (performance.now() - this.dropsLoggedAt < DROP_LOG_INTERVAL_MS) return;
    this.dropsLoggedAt = performance.now();
    this.logger.warn('Pushes are dropped: too many wait');
  }

  /** Never rejects. */
  private async work(task: Task): Promise<void> {
    try {
      if (task.stored !== undefined) await this.tryStored(task, task.stored);
      else if (task.others !== undefined) await this.addressAll(apart(task));
      else if (task.deviceId === null) await this.address(task.push);
      else await this.deliver(task, await this.deviceOf(task, task.deviceId));
      this.isAway = false;
    } catch (error) {
      // Once for each outage: a push is not worth a line of its own.
      if (!this.isAway) this.logger.warn(`Pushes are given up: ${(error as Error).name}`);
      this.isAway = true;
    } finally {
      if (task.stored !== undefined) this.retries.release(task.stored);
    }
  }

  /**
   * One round trip; a cancel needs two, because rings must end on every node before it goes out. The first device gets its push at once,
   * each other one in a task of its own.
   */
  private async address(push: Push): Promise<void> {
    if (push.data.type === 'call_cancel') await this.rings.cancelElsewhere(push.data.callId);
    const devices = await this.devices.devicesOf(push.party);
    const tasks = devices.map(({ _id }) => ({ push, deviceId: _id, attempts: 0 }));
    if (this.isClosing) return this.retries.store(tasks, 0);
    for (const task of tasks.slice(1)) this.enqueue(task);
    const [device] = devices;
    if (device !== undefined) await this.deliver({ push, deviceId: device._id, attempts: 0 }, device);
  }

  /** One round trip for all of them. */
  private async addressAll(tasks: Task[]): Promise<void> {
    const devices = await this.devices.devicesOfAll(tasks.map(({ push }) => push.party));
    const readAt = performance.now();
    const found = tasks.flatMap(({ push, attempts }) =>
      (devices.get(push.party) ?? []).map((device) => {
        return { push, attempts, deviceId: device._id, found: { device, readAt } };
      }),
    );
    if (this.isClosing) return this.retries.store(found, 0);
    for (const task of found) this.enqueue(task);
  }

  private async deviceOf({ push, found }: Task, deviceId: string): Promise<PushDevice | null> {
    if (found !== undefined && performance.now() - found.readAt < FRESH_MS) return found.device;
    return this.deviceRepository.findOf(push.party, deviceId);
  }

  /** @param device was read just now: a token that waits may become somebody else's. */
  private async deliver(task: Task, device: PushDevice | null): Promise<void> {
    if (device === null) return;
    const result = await this.attempt(task.push, device);
    if (result?.outcome === 'later') await this.putOff(task, result.minDelayMs);
  }

  /** Undefined: its time is over, the call was cancelled or the message deleted, and nothing went out. */
  private async attempt(push: Push, device: PushDevice): Promise<SendResult | undefined> {
    const callId = ringOf(push);
    if (callId !== undefined && (await this.rings.isCancelled(callId))) return undefined;
    if (push.expiresAt.getTime() <= Date.now() || this.deleted.hasHere(push)) return undefined;
    const signal = callId === undefined ? undefined : this.rings.signalOf(callId);
    const result = await this.sender.send(toFcmMessage(push, device.token), signal);
    if (result.outcome === 'token-gone') await this.deviceRepository.removeUnchanged([device]);
    return result;
  }

  private async putOff(task: Task, minDelayMs: number): Promise<void> {
    const next = { push: task.push, deviceId: task.deviceId, attempts: task.attempts + 1 };
    const delayMs = this.isClosing ? 0 : delayAfter(next.attempts, minDelayMs);
    if (ringOf(task.push) === undefined) return this.retries.store([next], delayMs);
    const isTooLate = Date.now() + delayMs >= task.push.retryUntil.getTime();
    if (isTooLate || this.waitingRings >= MAX_WAITING_RINGS) return;
    this.waitingRings += 1;
    setTimeout(() => {
      this.waitingRings -= 1;
      this.enqueue(next);
    }, delayMs).unref();
  }

  private async isStillWanted({ party, data }: Push): Promise<boolean> {
    if (data.type !== 'message') return true;
    for (const isStillFor of this.retryChecks)
      if (!(await isStillFor(partyOfKey(party), data.conversationId))) return false;
    return true;
  }

  private async tryStored({ push }: Task, stored: PushRetry): Promise<void> {
    const claimed = await this.retries.claim(stored);
    if (claimed === null) return;
    if ((await this.deleted.has(push)) || !(await this.isStillWanted(push)))
      return this.retries.remove(claimed);
    if (claimed.deviceId === null) {
      await this.address(push);
      return this.retries.remove(claimed);
    }
    const device = await this.deviceRepository.findOf(claimed.party, claimed.deviceId);
    const isOver = device === null || claimed.retryUntil.getTime() <= Date.now();
    const result = isOver ? undefined : await this.attempt(push, device);
    if (result?.outcome !== 'later') return this.retries.remove(claimed);
    if (this.isClosing) return this.retries.giveBack(claimed);
    return this.retries.postpone(claimed, result.minDelayMs);
  }
}

/** A task for each party. */
function apart({ others = [], ...task }: Task): Task[] {
  return [task, ...others.map((push) => ({ ...task, push }))];
}

function pause(milliseconds: number): Promise<void> {
  return wait(milliseconds, undefined, { ref: false });
}
