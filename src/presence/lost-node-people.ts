import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { partyOfKey } from '../contract/identity.js';
import { OutageLog } from '../logging/outage-log.js';
import { type LostNode, NodeRegistry } from '../nodes/node-registry.js';
import { PresenceRepository } from './presence.repository.js';
import { PresenceStore } from './presence.store.js';
import { PresenceTimes } from './presence-times.js';
import { PresenceTracker } from './presence-tracker.js';

/**
 * What a node had not written off when it died is written off by another: nobody stays online for ever. The people of a lost node are first
 * moved to this one, in the database; if it dies, too, the next one finds them.
 */
@Injectable()
export class LostNodePeople implements BeforeApplicationShutdown {
  private readonly outage = new OutageLog(
    new Logger(LostNodePeople.name),
    "A lost node's people cannot be written off for now",
  );
  private readonly sweeps = new Set<NodeJS.Timeout>();
  private readonly startedAt = performance.now();
  private isClosing = false;

  constructor(
    private readonly registry: NodeRegistry,
    private readonly tracker: PresenceTracker,
    private readonly people: PresenceRepository,
    private readonly store: PresenceStore,
    private readonly times: PresenceTimes,
  ) {
    registry.onNodeLost((node) => this.takeOver(node));
  }

  beforeApplicationShutdown(): void {
    this.isClosing = true;
    for (const timer of this.sweeps) clearTimeout(timer);
  }

  /**
   * They are this node's, without a socket, from here on. Who was seen only just now, or can come back only since this node listens, has the
   * usual time to do so; the others had it.
   */
  private async takeOver({ nodeId, aliveAt }: LostNode): Promise<void> {
    await this.people.adopt(nodeId, this.registry.nodeId, aliveAt);
    await this.store.forgetNode(nodeId);
    const { offlineDelayMs } = this.times;
    const isFresh = performance.now() - this.startedAt < 2 * offlineDelayMs;
    const mayReturn = isFresh || Date.now() - aliveAt.getTime() < 2 * offlineDelayMs;
    this.sweepIn(mayReturn ? offlineDelayMs : 0);
  }

  private sweepIn(delayMs: number): void {
    if (this.isClosing) return;
    const timer = setTimeout(() => {
      this.sweeps.delete(timer);
      this.sweep().then(
        () => this.outage.worked(),
        (error: unknown) => {
          this.outage.failed(error);
          this.sweepIn(this.times.retryMs);
        },
      );
    }, delayMs).unref();
    this.sweeps.add(timer);
  }

  /** Writes off everybody who is noted to be here and is not. */
  private async sweep(): Promise<void> {
    for (const entry of await this.people.findOnNode(this.registry.nodeId)) {
      const { _id: key, name = '', avatar = '', lastSeen } = entry;
      await this.tracker.writeOff({ ...partyOfKey(key), name, avatar }, lastSeen);
    }
  }
}
