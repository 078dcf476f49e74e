import mongoose from 'mongoose';
import { Injectable, Module } from '@nestjs/common';
import { type LostNode, NodeRegistry } from '../../../src/nodes/node-registry.js';
import { NodeTimes } from '../../../src/nodes/node-times.js';
import type { ServerNode } from '../../../src/nodes/node.schema.js';
import { NodesModule } from '../../../src/nodes/nodes.module.js';
import { startApp, type TestApp } from '../../support/app.js';
import { closeAfterTest } from '../../support/cleanup.js';
import { startMongo, startServer, temporaryFolder } from '../../support/processes.js';
import { until } from '../../support/until.js';

const PATIENCE_MS = 20_000;
/** Longer than any test: such a node says once that it lives, or judges nobody. */
const NEVER_MS = 3_600_000;

/** Hears what the registry says, as a part of the application would. */
@Injectable()
class Witness {
  readonly lost: LostNode[] = [];
  returns = 0;
  failures = 0;
  /** What the handling of a loss, or of the own return, waits for. */
  handling: () => Promise<void> = async () => {};
  returning: () => Promise<void> = async () => {};
  private readonly watchers = new Set<() => void>();

  constructor(readonly registry: NodeRegistry) {
    registry.onNodeLost(async (node) => {
      this.lost.push(node);
      this.tell();
      await this.handling();
      if (this.failures-- > 0) throw new Error('as the test wants it');
    });
    registry.onTakenForLost(async () => {
      this.returns += 1;
      this.tell();
      await this.returning();
    });
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('it never came true')), PATIENCE_MS);
      const look = (): void => {
        if (!holds()) return;
        clearTimeout(timer);
        this.watchers.delete(look);
        resolve();
      };
      this.watchers.add(look);
      look();
    });
  }

  private tell(): void {
    for (const watcher of this.watchers) watcher();
  }
}

@Module({ imports: [NodesModule], providers: [Witness] })
class WitnessModule {}

async function startNode(times: NodeTimes, mongoUri?: string): Promise<TestApp & { witness: Witness }> {
  const started = await startApp(
    mongoUri === undefined ? {} : { MONGODB_URI: mongoUri },
    [WitnessModule],
    [{ provide: NodeTimes, useValue: times }],
  );
  return { ...started, witness: started.app.get(Witness) };
}

type Nodes = mongoose.mongo.Collection<{ _id: string; aliveAt: Date } & Partial<ServerNode>>;

async function withNodes<T>(mongoUri: string, use: (nodes: Nodes) => Promise<T>): Promise<T> {
  const client = new mongoose.mongo.MongoClient(mongoUri);
  try {
    return await use(client.db('samvad').collection('nodes'));
  } finally {
    await client.close();
  }
}

const storedNodes = (mongoUri: string) => withNodes(mongoUri, (nodes) => nodes.find().toArray());

const steady = { beatIntervalMs: 100, silenceMs: NEVER_MS };

describe('a node that goes silent', () => {
  it('is lost for those that live, once, and with the time at which it last spoke', async () => {
    const silent = await startNode({ beatIntervalMs: NEVER_MS, silenceMs: NEVER_MS });
    const [stored] = await storedNodes(silent.mongoUri);
    const living = await startNode({ beatIntervalMs: 100, silenceMs: 1000 }, silent.mongoUri);
    await living.witness.until(() => living.witness.lost.length > 0);
    const { nodeId } = silent.witness.registry;
    expect(living.witness.lost).toEqual([{ nodeId, aliveAt: stored?.aliveAt }]);
    await living.app.close();
    expect(living.witness.lost).toHaveLength(1);
    expect((await storedNodes(silent.mongoUri)).map(({ _id }) => _id)).not.toContain(nodeId);
  });

  it('a loss whose handler failed is told again', async () => {
    const silent = await startNode({ beatIntervalMs: NEVER_MS, silenceMs: NEVER_MS });
    const living = await startNode({ beatIntervalMs: 100, silenceMs: 1000 }, silent.mongoUri);
    living.witness.failures = 2;
    await living.witness.until(() => living.witness.lost.length >= 3);
    expect(new Set(living.witness.lost.map(({ nodeId }) => nodeId))).toEqual(
      new Set([silent.witness.registry.nodeId]),
    );
  });

  it('learns of it when it was only slow', async () => {
    const hasty = await startNode({ beatIntervalMs: 50, silenceMs: 10 });
    const slow = await startNode({ beatIntervalMs: 1000, silenceMs: NEVER_MS }, hasty.mongoUri);
    await slow.witness.until(() => slow.witness.returns > 0);
    expect(hasty.witness.lost.map(({ nodeId }) => nodeId)).toContain(slow.witness.registry.nodeId);
  });

  it('learns of it once more when it came back while others still undid what is its own', async () => {
    const times = { beatIntervalMs: 50, silenceMs: 1000 };
    const hasty = await startNode(times);
    const slow = await startNode({ beatIntervalMs: 2500, silenceMs: NEVER_MS }, hasty.mongoUri);
    let returnsAtEnd = Number.NaN;
    hasty.witness.handling = async () => {
      hasty.witness.handling = async () => {};
      // It takes nobody for lost any more.
      times.silenceMs = NEVER_MS;
      await slow.witness.until(() => slow.witness.returns > 0);
      returnsAtEnd = slow.witness.returns;
    };
    await slow.witness.until(() => slow.witness.returns > returnsAtEnd);
    expect(returnsAtEnd).toBe(1);
  });

  it('speaks on while it writes again what others undid, and while it buries others', async () => {
    const node = await startNode(steady);
    let release = (): void => {};
    node.witness.returning = node.witness.handling = () => new Promise((resolve) => (release = resolve));
    await withNodes(node.mongoUri, async (nodes) => {
      const { nodeId: _id } = node.witness.registry;
      const speaks = async (): Promise<void> => {
        const at = (await nodes.findOne({ _id }))?.aliveAt ?? new Date();
        await until(async () => (await nodes.findOne({ _id, aliveAt: { $gt: at } })) !== null);
      };
      await nodes.updateOne({ _id }, { $set: { isLost: true } });
      await node.witness.until(() => node.witness.returns === 1);
      await speaks();
      release();
      await nodes.insertOne({ _id: 'gone', aliveAt: new Date(0), isLost: true });
      await node.witness.until(() => node.witness.lost.length === 1);
      await speaks();
      release();
      await until(async () => (await nodes.findOne({ _id: 'gone' })) === null);
      expect(node.witness.lost[0]?.nodeId).toBe('gone');
    });
  });

  it('is not taken for lost while it speaks', async () => {
    const first = await startNode({ beatIntervalMs: 100, silenceMs: 20_000 });
    const second = await startNode({ beatIntervalMs: 100, silenceMs: 20_000 }, first.mongoUri);
    const third = await startNode(steady, first.mongoUri);
    await third.app.close();
    const lost = () => [...first.witness.lost, ...second.witness.lost];
    // Either of them deals with it, or both.
    await until(() => lost().length > 0);
    for (const { nodeId } of lost()) expect(nodeId).toBe(third.witness.registry.nodeId);
  });
});

describe('a node that shuts down in good order', () => {
  it('is dealt with at once by those that live', async () => {
    const [leaving, living] = await (async () => {
      const first = await startNode(steady);
      return [first, await startNode(steady, first.mongoUri)];
    })();
    await leaving.app.close();
    await living.witness.until(() => living.witness.lost.length > 0);
    expect(living.witness.lost[0]?.nodeId).toBe(leaving.witness.registry.nodeId);
  });
});

describe('the server is killed with SIGKILL', () => {
  it('the next one on this machine deals with the loss before it listens', async () => {
    const mongo = await startMongo(await temporaryFolder());
    closeAfterTest(() => mongo.stop());
    const dataDir = await temporaryFolder();
    const first = await startServer(dataDir, { MONGODB_URI: mongo.address });
    const [{ _id: nodeId } = { _id: '' }] = await storedNodes(mongo.address);
    await first.stop('SIGKILL');
    expect(await storedNodes(mongo.address)).toHaveLength(1);

    const second = await startServer(dataDir, { MONGODB_URI: mongo.address });
    const output = second.output();
    expect(output.slice(0, output.indexOf('Samvad listens'))).toContain(`Node ${nodeId} is lost`);
    const left = await storedNodes(mongo.address);
    expect(left).toHaveLength(1);
    expect(left[0]?._id).not.toBe(nodeId);
  });

  it.each(['another boot', 'pid:[1]'])('a node in other process space (%s) is left alone', async (other) => {
    const first = await startNode(steady);
    await withNodes(first.mongoUri, async (nodes) => {
      const [self] = await nodes.find().toArray();
      // Of the same host by name; its process ids are this one's, and some that nobody here has.
      const { pid = 0, ...like } = { ...self };
      const space = self?.processSpace ?? '';
      const processSpace = other.startsWith('pid') ? space.replace(/pid:\S+/, other) : `${other} ${space}`;
      expect(processSpace).not.toBe(space);
      const aliveAt = new Date(Date.now() + NEVER_MS);
      await nodes.insertMany([
        { ...like, _id: 'same', pid, processSpace, aliveAt },
        { ...like, _id: 'foreign', pid: 2 ** 30, processSpace, aliveAt },
        { ...like, _id: 'dead', pid: 2 ** 30, aliveAt },
      ]);
      const second = await startNode(steady, first.mongoUri);
      expect(second.witness.lost.map(({ nodeId }) => nodeId)).toEqual(['dead']);
    });
  });
});
