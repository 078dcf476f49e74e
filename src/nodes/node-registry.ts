import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { stackOf } from '../logging/stack-of.js';
import { NodeRepository, type NodeSelf } from './node.repository.js';
import type { ServerNode } from './node.schema.js';
import { NodeTimes } from './node-times.js';

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
 * or by the next start. Three round trips every 5 s, one write and two reads; none on the way of an event.
 */
@Injectable()
export class NodeRegistry implements OnApplicationBootstrap, OnApplicationShutdown {
  /** Of this process; random, new with every start. */
  readonly nodeId = randomUUID();
  private readonly logger = new Logger(NodeRegistry.name);
  private readonly self: NodeSelf = {
    _id: this.nodeId,
    host: hostname(),
    pid: process.pid,
    startedAt: new Date(),
  };
  private readonly lostHandlers: ((node: LostNode) => Promise<void>)[] = [];
  private readonly returnHandlers: (() => Promise<void>)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> | undefined;
  private isFirstBeat = true;
  private hasLookedAtHost = false;
  private isAway = false;
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
    this.timer = setInterval(() => void this.beat(), this.times.beatIntervalMs).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await Promise.race([this.leave(), wait(LEAVE_TIMEOUT_MS, undefined, { ref: false })]);
    nodesOfThisProcess.delete(this.nodeId);
  }

  /** Says that this node lives, then looks for those that do not. Never rejects; one at a time. */
  private beat(): Promise<void> {
    this.beating ??= this.renewAndLook()
      .then(() => {
        this.isAway = false;
      })
      .catch((error: unknown) => {
        // Once for each outage: the next beats would only say the same.
        if (!this.isAway) this.logger.warn(`The nodes cannot be looked after: ${(error as Error).name}`);
        this.isAway = true;
      })
      .finally(() => {
        this.beating = undefined;
      });
    return this.beating;
  }

  private async renewAndLook(): Promise<void> {
    const before = await this.nodes.renew(this.self);
    const wasTakenForLost = !this.isFirstBeat && (before === null || before.isLost === true);
    this.isFirstBeat = false;
    const now = performance.now();
    const steadyGapMs = STEADY_GAP_BEATS * this.times.beatIntervalMs;
    if (now - this.lastBeatAt > steadyGapMs) this.judgesFrom = now + steadyGapMs;
    this.lastBeatAt = now;
    if (wasTakenForLost) await this.comeBack();
    if (!this.hasLookedAtHost) await this.lookAtHost();
    if (now >= this.judgesFrom) {
      for (const node of await this.nodes.findLost(this.times.silenceMs)) await this.bury(node);
    }
  }

  /** A process that was killed need not be waited for when it is seen from its own machine, or was this container's. */
  private async lookAtHost(): Promise<void> {
    for (const node of await this.nodes.findOfHost(this.self.host)) {
      const isOurs = nodesOfThisProcess.has(node._id);
      if (!isOurs && (node.pid === process.pid || !isRunning(node.pid))) await this.bury(node);
    }
    this.hasLookedAtHost = true;
  }

  private async bury(node: ServerNode): Promise<void> {
    if (!(await this.nodes.markLost(node))) return;
    this.logger.warn(`Node ${node._id} is lost; it was last seen at ${node.aliveAt.toISOString()}`);
    if (await this.handleLoss({ nodeId: node._id, aliveAt: node.aliveAt })) await this.nodes.removeLost(node);
  }

  /** Whether every handler did its work; if not, the node's document stays, and so the next look calls them again. */
  private async handleLoss(node: LostNode): Promise<boolean> {
    const results = await Promise.allSettled(this.lostHandlers.map((handler) => handler(node)));
    const faults = results.filter((result) => result.status === 'rejected');
    for (const { reason } of faults)
      this.logger.error('The loss of a node could not be handled', stackOf(reason));
    return faults.length === 0;
  }

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
