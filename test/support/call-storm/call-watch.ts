import { setTimeout as wait } from 'node:timers/promises';
import mongoose from 'mongoose';
import type { Call } from '../../../src/call/call.schema.js';
import { OPEN_STATES } from '../../../src/call/call-state.js';
import { calleeOf, callerOf } from '../../../src/call/call-rules.js';
import { partyKey } from '../../../src/contract/identity.js';
import type { StoredLog } from './stored-log.js';

const LOOK_EVERY_MS = 50;

/** Looks at the stored calls all the time, past the nodes: nobody may be in two open calls at any moment. */
export class CallWatch {
  readonly faults = new Set<string>();
  looks = 0;
  private isStopped = false;
  private looking: Promise<void>;
  private waiting: { callId: string; since: number; resolve: () => void }[] = [];

  private constructor(private readonly client: mongoose.mongo.MongoClient) {
    this.looking = this.lookOnAndOn();
  }

  static async start(mongoUri: string): Promise<CallWatch> {
    return new CallWatch(await new mongoose.mongo.MongoClient(mongoUri).connect());
  }

  /** Resolves when the call is over. */
  over(callId: string): Promise<void> {
    return new Promise((resolve) => this.waiting.push({ callId, since: performance.now(), resolve }));
  }

  /** Whether every call is over, and everything is done that follows from it. */
  async isQuiet(): Promise<boolean> {
    const left = await this.calls.countDocuments({
      $or: [{ status: { $in: [...OPEN_STATES] } }, { followUpDue: { $exists: true } }],
    });
    return left === 0;
  }

  /** Everything that is stored of calls. */
  async read(): Promise<{ calls: Call[]; logs: StoredLog[] }> {
    const logs = this.client.db('samvad').collection<StoredLog>('directmessages');
    return {
      calls: await this.calls.find().toArray(),
      logs: await logs.find({ messageType: 'call_log' }).toArray(),
    };
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.looking;
    await this.client.close();
  }

  private get calls() {
    return this.client.db('samvad').collection<Call>('calls');
  }

  private async lookOnAndOn(): Promise<void> {
    while (!this.isStopped) {
      await this.look();
      await wait(LOOK_EVERY_MS);
    }
  }

  private async look(): Promise<void> {
    const startedAt = performance.now();
    // By an index, because it is asked so often; that `open` goes with the end of a call, and not before, is checked afterwards.
    const open = await this.calls.find({ open: { $exists: true } }).toArray();
    this.looks += 1;
    const busy = open
      .flatMap((call) => [callerOf(call), calleeOf(call)])
      .filter(({ type }) => type !== 'admin')
      .map(partyKey);
    for (const [index, key] of busy.entries())
      if (busy.indexOf(key) !== index) this.faults.add(`${key} is in two open calls`);
    const ids = new Set(open.map(({ _id }) => _id.toHexString()));
    const isOver = (entry: { callId: string; since: number }): boolean =>
      entry.since < startedAt && !ids.has(entry.callId);
    const over = this.waiting.filter(isOver);
    this.waiting = this.waiting.filter((entry) => !isOver(entry));
    for (const { resolve } of over) resolve();
  }
}
