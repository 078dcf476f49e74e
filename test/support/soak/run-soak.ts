import { setTimeout as wait } from 'node:timers/promises';
import type { Cluster } from './cluster.js';
import type { ListPage, SoakDriver, SoakEntry, SoakMessage } from './driver.js';
import { MarkLedger } from './mark-ledger.js';
import { everybodyIn, isSame, keyOf, type Talk } from './people.js';
import { Random } from './random.js';
import { overtakings } from './sending-order.js';
import { SoakClient } from './soak-client.js';
import { readTruth } from './truth.js';
import { type LastAnswers, verify } from './verify.js';

const DROP_EVERY_MS = 200;
const MAX_UNACKED = 4;
const SETTLE_PATIENCE_MS = 60_000;
const LIST_LIMIT = 100;
/** These have a second device. */
const TWO_DEVICES = new Set(['user:u0', 'astrologer:a0']);

export interface SoakOptions {
  seed: number;
  /** How often a node is killed with SIGKILL and started again; the nodes take turns. */
  kills: number;
  /** Between two kills, on average, and before the first and after the last one. */
  betweenKillsMs: number;
  /** How often each device does something. */
  actEveryMs: number;
  /** How many messages of a device may wait for their acks; a few by default. */
  maxUnacked?: number;
  /** How often a device, any of them, loses its connection; 200 by default. */
  dropEveryMs?: number;
  /** Called when something is worth telling. */
  tell?: (line: string) => void;
}

export interface SoakReport {
  /** What is wrong, in words; empty when all is well. */
  problems: string[];
  acked: number;
  /** Messages behind one that was written later, because the server did not take them at first; with all that was tried. */
  overtaken: string[];
  drops: number;
  kills: number;
  connects: number;
}

/** Lets conversations go through drops and kills, then checks that nothing is lost, doubled, or wrongly counted. */
export class Soak {
  private readonly ledger = new MarkLedger();
  private readonly random: Random;
  private readonly devices: SoakClient[];
  private drops = 0;
  private kills = 0;

  private constructor(
    private readonly driver: SoakDriver,
    private readonly talks: Talk[],
    private readonly cluster: Cluster,
    private readonly options: SoakOptions,
  ) {
    this.random = new Random(options.seed);
    this.devices = this.makeDevices();
  }

  /** Makes the conversations at a cluster that runs. */
  static async prepare(driver: SoakDriver, cluster: Cluster, options: SoakOptions): Promise<Soak> {
    const address = cluster.address(new Random(options.seed));
    if (address === undefined) throw new Error('No node runs.');
    return new Soak(driver, await driver.makeTalks(address), cluster, options);
  }

  /** Where it is, for those who watch. */
  get progress(): string {
    const connected = this.devices.filter(({ isSettled }) => isSettled).length;
    return `${this.acked} acknowledged, ${this.drops} dropped, ${this.kills} killed, ${connected} of ${this.devices.length} settled`;
  }

  async run(): Promise<SoakReport> {
    const tell = this.options.tell ?? (() => {});
    for (const device of this.devices) device.start();
    await this.doHarm();
    tell('quiet now: waiting until everybody has everything');
    const problems = await this.settle();
    const answers = await Promise.all(this.devices.map((device) => askEverything(device)));
    await Promise.all(this.devices.map((device) => device.stop()));
    const codes = await this.cluster.stopNodes();
    if (codes.some((code) => code !== 0)) problems.push(`the nodes ended with ${codes.join(', ')}`);
    tell('reading the database');
    const truth = await this.cluster.readDatabase((database) => readTruth(database, this.driver));
    problems.push(...verify(this.talks, answers, truth, this.ledger));
    problems.push(...this.devices.flatMap(({ faults }) => faults));
    const connects = this.devices.reduce((sum, device) => sum + device.connects, 0);
    const overtaken = this.devices
      .flatMap(({ outbox }) => overtakings(outbox.written))
      .flatMap(({ hasReason, trace }) => (hasReason ? [trace] : []));
    return { problems, acked: this.acked, overtaken, drops: this.drops, kills: this.kills, connects };
  }

  private get acked(): number {
    const written = this.devices.flatMap(({ outbox }) => outbox.written);
    return written.filter(({ acked }) => acked !== undefined).length;
  }

  private makeDevices(): SoakClient[] {
    return everybodyIn(this.talks).flatMap((person, index) => {
      const names = TWO_DEVICES.has(keyOf(person)) ? ['phone', 'tablet'] : ['phone'];
      return names.map((kind) => {
        const random = new Random(this.options.seed + 1000 * index + kind.length);
        return new SoakClient({
          name: `${keyOf(person)}/${kind}`,
          driver: this.driver,
          person,
          talks: this.talks.filter(({ sides }) => sides.some((side) => isSame(side, person))),
          joinsRooms: index % 2 === 0,
          maxUnacked: this.options.maxUnacked ?? MAX_UNACKED,
          hasSeveralNodes: this.cluster.nodeCount > 1,
          random,
          ledger: this.ledger,
          address: () => this.cluster.address(random),
        });
      });
    });
  }

  private async doHarm(): Promise<void> {
    const { kills, betweenKillsMs, actEveryMs, dropEveryMs = DROP_EVERY_MS } = this.options;
    const acting = setInterval(() => this.random.pick(this.devices).act(), actEveryMs / this.devices.length);
    const dropping = setInterval(() => {
      this.drops += 1;
      this.random.pick(this.devices).drop();
    }, dropEveryMs);
    try {
      for (let kill = 0; kill < kills; kill += 1) {
        await wait(betweenKillsMs * (0.5 + this.random.next()));
        await this.killAndRestart(kill % this.cluster.nodeCount);
      }
      await wait(betweenKillsMs);
    } finally {
      clearInterval(acting);
      clearInterval(dropping);
    }
  }

  private async killAndRestart(node: number): Promise<void> {
    await this.cluster.kill(node);
    this.kills += 1;
    this.options.tell?.(`killed node ${node}`);
    await this.cluster.startNode(node);
  }

  /** Until nothing waits for an ack and every device has what it has heard of; what never comes to rest is a problem. */
  private async settle(): Promise<string[]> {
    const unsettled = (): SoakClient[] => this.devices.filter((device) => !device.isSettled);
    await until(() => unsettled().length === 0);
    // What comes now comes to those who are all here: whoever finds it by asking alone was not told. And a message that a node stored just
    // before it was killed is announced to nobody on the others: the next one shows the gap.
    for (const device of this.devices)
      for (const talk of device.settings.talks) device.write(talk, 'the last one');
    const behind = (): SoakClient[] => this.devices.filter((device) => !this.reachesEnds(device, 'lastSeq'));
    const untold = (): SoakClient[] => this.devices.filter((device) => !this.reachesEnds(device, 'toldOf'));
    await until(() => unsettled().length === 0 && behind().length === 0 && untold().length === 0);
    return [
      ...unsettled().map(({ settings }) => `${settings.name} never came to rest`),
      ...behind().map(({ settings }) => `${settings.name} never got everything`),
      ...untold().map(({ settings }) => `${settings.name} was not told the last message of a conversation`),
    ];
  }

  /** Whether the device has, or was told, the newest of what anybody was acknowledged, in each of its conversations. */
  private reachesEnds({ views }: SoakClient, what: 'lastSeq' | 'toldOf'): boolean {
    const ends = new Map<string, number>();
    for (const device of this.devices) {
      for (const { conversationId, acked } of device.outbox.written)
        ends.set(conversationId, Math.max(ends.get(conversationId) ?? 0, acked?.seq ?? 0));
    }
    return [...views].every(([conversationId, view]) => view[what] >= (ends.get(conversationId) ?? 0));
  }
}

/** Without regard to what the device knows already. */
async function askEverything(device: SoakClient): Promise<LastAnswers> {
  const { driver } = device.settings;
  let conversations: SoakEntry[] = [];
  const histories = new Map<string, SoakMessage[]>();
  try {
    conversations = await readWholeList(device);
    for (const conversationId of device.views.keys()) {
      const messages: SoakMessage[] = [];
      histories.set(conversationId, messages);
      for (let hasMore = true; hasMore;) {
        const window = { conversationId, afterSeq: messages.length, limit: LIST_LIMIT };
        const page = await driver.readHistory(device.ask, window);
        messages.push(...page.messages);
        hasMore = page.hasMore && page.messages.length > 0;
      }
    }
  } catch (error) {
    device.faults.push(`${device.settings.name} could not ask at the end: ${(error as Error).message}`);
  }
  return { device, conversations, histories };
}

/** Twice the same: the newest messages are noted a little later, and what moves up meanwhile may pass from a later page to an earlier one. */
async function readWholeList(device: SoakClient): Promise<SoakEntry[]> {
  let list = await readPages(device);
  for (let before = ''; before !== versionsOf(list); list = await readPages(device))
    before = versionsOf(list);
  return list;
}

const versionsOf = (list: SoakEntry[]): string =>
  list.map(({ conversationId, updatedAt }) => `${conversationId} ${updatedAt}`).join();

async function readPages(device: SoakClient): Promise<SoakEntry[]> {
  const conversations: SoakEntry[] = [];
  let cursor: string | null = null;
  do {
    const page: ListPage = await device.settings.driver.readList(device.ask, { cursor, limit: 2 });
    conversations.push(...page.entries);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return conversations;
}

/** Resolves when it holds, or when patience is over. */
async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + SETTLE_PATIENCE_MS;
  while (!holds() && performance.now() < end) await wait(100);
}
