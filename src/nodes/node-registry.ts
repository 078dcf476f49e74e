import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { OutageLog } from '../logging/outage-log.js';
import { stackOf } from '../logging/stack-of.js';
import { NodeRepository, type NodeSelf } from './node.repository.js';
import type { ServerNode } from './node.schema.js';
import { NodeTimes } from './node-times.js';
import { processSpace } from './process-space.js';

/** A node whose own beats were further apart was not there, or the database was not: it judges nobody until all had time to speak. */
const STEADY_GAP_BEATS = 2;
/** A database that hangs must not hold up the shutdown. */
const LEAVE_TIMEOUT_MS = 500;

/** A node that is gone; `aliveAt` is when it was last known to live, on the database's clock. */
export interface LostNode {
  nodeId: string;
  aliveAt: Date;
}

/** Nodes of this process, of which tests run several. */
const nodesOfThisProcess = new Set<string>();

/**
 * Which nodes run, and what is to be done when one has gone (contract §7): state that carries a `nodeId` is put right by those that live,
 * or by the next start. Two round trips every 5 s, one write and one read, and one read more at the start; none on the way of an event.
 */
@Injectable()
export class NodeRegistry implements OnApplicationBootstrap, OnApplicationShutdown {
  /** Of this process; random, new with every start. */
  readonly nodeId = randomUUID();
  private readonly logger = new Logger(NodeRegistry.name);
  private readonly outage = new OutageLog(this.logger, 'The nodes cannot be looked after for now');
  private readonly self: NodeSelf = {
    _id: this.nodeId,
    host: hostname(),
    processSpace: processSpace(),
    pid: process.pid,
    startedAt: new Date(),
  };
  private readonly lostHandlers: ((node: LostNode) => Promise<void>)[] = [];
  private readonly returnHandlers: (() => Promise<void>)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> | undefined;
  private repairing: Promise<void> | undefined;
  private returning: Promise<void> = Promise.resolve();
  private isFirstBeat = true;
  private hasLookedAtHost = false;
  private lastBeatAt = performance.now();
  private judgesFrom = performance.now();

  constructor(
    private readonly nodes: NodeRepository,
    private readonly times: NodeTimes,
  ) {
    nodesOfThisProcess.add(this.nodeId);
  }

  /**
   * `handler` is called on a living node when another has gone: it was silent for 20 s, or shut down in good order, or is, at this node's
   * start and before it listens, a process of this host that runs no more. Register it in a constructor.
   *
   * It must be idempotent, because several nodes may call it for the same loss, and each again after an error; and harmless when the
   * node was only slow. What it leaves undone when it resolves is never asked for again. An error makes the next look, in 5 s, call all
   * handlers once more.
   */
  onNodeLost(handler: (node: LostNode) => Promise<void>): void {
    this.lostHandlers.push(handler);
  }

  /** `handler` is called when others have taken this node for lost, wrongly: it writes again what `onNodeLost` may have undone. */
  onTakenForLost(handler: () => Promise<void>): void {
    this.returnHandlers.push(handler);
  }

  /** Before the server listens: what a former process left is put right before its clients come back. */
  async onApplicationBootstrap(): Promise<void> {
    await this.beat();
    await this.repairing;
    this.timer = setInterval(() => void this.beat(), this.times.beatIntervalMs).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await Promise.race([this.leave(), wait(LEAVE_TIMEOUT_MS, undefined, { ref: false })]);
    nodesOfThisProcess.delete(this.nodeId);
  }

  /** Says that this node lives, whatever else it is at. Never rejects; one at a time. */
  private beat(): Promise<void> {
    this.beating ??= this.renew()
      .then(() => this.outage.worked())
      .catch((error: unknown) => this.outage.failed(error))
      .finally(() => {
        this.beating = undefined;
      });
    return this.beating;
  }

  private async renew(): Promise<void> {
    const before = await this.nodes.renew(this.self);
    const wasTakenForLost = before === null || before.isLost === true || before.isDisturbed === true;
    const now = performance.now();
    const steadyGapMs = STEADY_GAP_BEATS * this.times.beatIntervalMs;
    if (now - this.lastBeatAt > steadyGapMs) this.judgesFrom = now + steadyGapMs;
    this.lastBeatAt = now;
    if (wasTakenForLost && !this.isFirstBeat) this.returning = this.returning.then(() => this.comeBack());
    this.isFirstBeat = false;
    this.repairing ??= this.repair()
      .catch((error: unknown) => this.outage.failed(error))
      .finally(() => {
        this.repairing = undefined;
      });
  }

  /** Looks for nodes that live no more. A beat starts it and does not wait for it: it may take long. */
  private async repair(): Promise<void> {
    if (!this.hasLookedAtHost) await this.lookAtHost();
    if (performance.now() < this.judgesFrom) return;
    for (const node of await this.nodes.findLost(this.times.silenceMs)) await this.bury(node);
  }

  /** A process that was killed need not be waited for when it could be seen from here. */
  private async lookAtHost(): Promise<void> {
    for (const node of await this.nodes.findVisible(this.self)) {
      const isOurs = nodesOfThisProcess.has(node._id);
      if (!isOurs && (node.pid === process.pid || !isRunning(node.pid))) await this.bury(node);
    }
    this.hasLookedAtHost = true;
  }

  private async bury(node: ServerNode): Promise<void> {
    if (!(await this.nodes.markLost(node))) return;
    this.logger.warn(`Node ${node._id} is lost; it was last seen at ${node.aliveAt.toISOString()}`);
    const isDone = await this.handleLoss({ nodeId: node._id, aliveAt: node.aliveAt });
    if (isDone && (await this.nodes.removeLost(node))) return;
    // It may have come back, and written again what the handlers undid only then.
    await this.nodes.tellDisturbed(node);
  }

  /** Whether every handler did its work; if not, the node's document stays, and so the next look calls them again. */
  private async handleLoss(node: LostNode): Promise<boolean> {
    const results = await Promise.allSettled(this.lostHandlers.map((handler) => handler(node)));
    const faults = results.filter((result) => result.status === 'rejected');
    for (const { reason } of faults)
      this.logger.error('The loss of a node could not be handled', stackOf(reason));
    return faults.length === 0;
  }

  /** Never rejects. */
  private async comeBack(): Promise<void> {
    this.logger.warn('Other nodes took this one for lost: it was too slow, or cut off');
    for (const handler of this.returnHandlers) {
      await handler().catch((error: unknown) => this.logger.error('The return failed', stackOf(error)));
    }
  }

  /** Those that live, or the next start, do for this node what they do for a lost one, without waiting for its silence. */
  private async leave(): Promise<void> {
    try {
      await this.beating;
      await this.nodes.markLeft(this.nodeId);
      await Promise.all([this.repairing, this.returning]);
    } catch (error) {
      this.logger.warn(`This node's entry stays until it lapses: ${(error as Error).name}`);
    }
  }
}

/** Whether there is a process of this id on this machine, whoever's. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
