import { setTimeout as wait } from 'node:timers/promises';
import { CallTimes } from '../../../src/call/call-times.js';
import { startApp, type Replacement, type TestApp } from '../app.js';
import { withNodeTimes, withPresenceTimes } from '../presence.js';
import { startRedis } from '../redis.js';
import type { Random } from '../soak/random.js';

/** Milliseconds: what takes its time in a service is over soon. */
export const STORM_TIMES = Object.assign(new CallTimes(), {
  callerReturnMs: 400,
  partyReturnMs: 900,
  presenceCheckMs: 1000,
  followUpMs: 700,
  followUpRetryMs: 700,
  lookIntervalMs: 50,
});

const REPLACEMENTS: Replacement[] = [
  { provide: CallTimes, useValue: STORM_TIMES },
  withPresenceTimes({ offlineDelayMs: 150, repeatMs: 100, retryMs: 300 }),
  withNodeTimes({ beatIntervalMs: 400, silenceMs: 4000 }),
];

/** Two nodes of one database and one Redis, which are stopped and started again. */
export class StormNodes {
  restarts = 0;
  private readonly nodes: (TestApp | undefined)[] = [];

  private constructor(
    readonly mongoUri: string,
    private readonly variables: Record<string, string>,
  ) {}

  static async start(): Promise<StormNodes> {
    const shared = { REDIS_URL: (await startRedis()).url, CALL_RING_TIMEOUT_SECONDS: '1' };
    const first = await startApp(shared, [], REPLACEMENTS);
    const nodes = new StormNodes(first.mongoUri, { ...shared, MONGODB_URI: first.mongoUri });
    nodes.nodes.push(first);
    await nodes.startNode(1);
    return nodes;
  }

  get urls(): string[] {
    return this.nodes.flatMap((node) => node?.url ?? []);
  }

  /** Of any node that runs. */
  address(random: Random): string | undefined {
    const { urls } = this;
    return urls.length === 0 ? undefined : random.pick(urls);
  }

  /** Stops it in good order, and starts another one after some time. */
  async restart(index: number, downMs: number): Promise<void> {
    const node = this.nodes[index];
    if (node === undefined) return;
    this.nodes[index] = undefined;
    await node.app.close();
    await wait(downMs);
    await this.startNode(index);
    this.restarts += 1;
  }

  private async startNode(index: number): Promise<void> {
    this.nodes[index] = await startApp(this.variables, [], REPLACEMENTS);
  }
}
