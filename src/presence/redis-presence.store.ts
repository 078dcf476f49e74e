import type { Redis } from 'ioredis';
import type { PresenceTimes } from './presence-times.js';
import { type PresenceCounts, PresenceStore } from './presence.store.js';

/** Set of the nodes that have people; `NODES:<nodeId>` is the set of a node's people and lives as long as the node renews it. */
const NODES = '{samvad:presence}';
const keyOf = (nodeId: string): string => `${NODES}:${nodeId}`;
/** Members of one SADD. */
const CHUNK = 1000;
/** After a failure Redis is not asked for so long: while it hangs, not every message shall wait for its time-out. Milliseconds. */
const REST_MS = 1000;

/** KEYS: nodes, own set. ARGV: nodeId, lease in ms, key. */
const ADD = `
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('SADD', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[2])`;

/** KEYS: nodes. ARGV: keys. Returns 1 or 0 for each. */
const FIND = `
local result = {}
for i = 1, #ARGV do result[i] = 0 end
for _, node in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local found = redis.call('SMISMEMBER', KEYS[1] .. ':' .. node, unpack(ARGV))
  for i = 1, #ARGV do if found[i] == 1 then result[i] = 1 end end
end
return result`;

/** KEYS: nodes. Returns how many users, astrologers and admins there are, each once. */
const COUNT = `
local seen, counts = {}, { user = 0, astrologer = 0, admin = 0 }
for _, node in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  for _, key in ipairs(redis.call('SMEMBERS', KEYS[1] .. ':' .. node)) do
    local type = string.match(key, '^(%a+):')
    if not seen[key] and counts[type] then counts[type] = counts[type] + 1 end
    seen[key] = true
  end
end
return { counts.user, counts.astrologer, counts.admin }`;

/** KEYS: nodes, own set. ARGV: nodeId, lease in ms. Forgets nodes whose lease is over; returns how many people this one has in Redis. */
const RENEW = `
for _, node in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if redis.call('EXISTS', KEYS[1] .. ':' .. node) == 0 then redis.call('SREM', KEYS[1], node) end
end
if redis.call('PEXPIRE', KEYS[2], ARGV[2]) == 1 then redis.call('SADD', KEYS[1], ARGV[1]) end
return redis.call('SCARD', KEYS[2])`;

/**
 * For several nodes: a set of people for each, which lapses when its node does not renew it. While Redis is away this node knows of its own
 * sockets alone; when it is back, they are written again. Round trips: one for each method, none for those who are on this node.
 */
export class RedisPresenceStore extends PresenceStore {
  private readonly timer: NodeJS.Timeout;
  private readonly onReady = (): void => void this.renew();
  /** Something could not be written: Redis may have another set than this node. */
  private isStale = false;
  private restUntil = 0;

  constructor(
    private readonly redis: Redis,
    private readonly nodeId: string,
    private readonly times: PresenceTimes,
  ) {
    super();
    this.timer = setInterval(() => void this.renew(), times.renewalMs).unref();
    redis.on('ready', this.onReady);
  }

  override async add(key: string): Promise<void> {
    this.own.add(key);
    await this.write((redis) =>
      redis.eval(ADD, 2, NODES, keyOf(this.nodeId), this.nodeId, this.times.leaseMs, key),
    );
  }

  override async remove(key: string): Promise<void> {
    this.own.delete(key);
    await this.write((redis) => redis.srem(keyOf(this.nodeId), key));
  }

  override areOnline(keys: string[]): boolean[] | Promise<boolean[]> {
    const elsewhere = keys.filter((key) => !this.own.has(key));
    if (elsewhere.length === 0 || this.isResting) return keys.map((key) => this.own.has(key));
    return this.ask(elsewhere).then((found) => keys.map((key) => this.own.has(key) || found.has(key)));
  }

  override async count(): Promise<PresenceCounts> {
    if (this.isResting) return this.countOwn();
    try {
      const [user = 0, astrologer = 0, admin = 0] = (await this.redis.eval(COUNT, 1, NODES)) as number[];
      return { user, astrologer, admin };
    } catch {
      this.rest();
      return this.countOwn();
    }
  }

  override async forgetNode(nodeId: string): Promise<void> {
    // If it fails: the lease lapses by itself.
    await this.redis.del(keyOf(nodeId)).catch(() => undefined);
  }

  override async close(): Promise<void> {
    clearInterval(this.timer);
    this.redis.off('ready', this.onReady);
    this.own.clear();
    await this.forgetNode(this.nodeId);
  }

  private get isResting(): boolean {
    return this.redis.status !== 'ready' || performance.now() < this.restUntil;
  }

  private rest(): void {
    this.restUntil = performance.now() + REST_MS;
  }

  private async ask(keys: string[]): Promise<Set<string>> {
    try {
      const found = (await this.redis.eval(FIND, 1, NODES, ...keys)) as number[];
      return new Set(keys.filter((_, index) => found[index] === 1));
    } catch {
      this.rest();
      return new Set();
    }
  }

  private async write(command: (redis: Redis) => Promise<unknown>): Promise<void> {
    if (this.isResting) {
      this.isStale = true;
      return;
    }
    try {
      await command(this.redis);
    } catch {
      this.isStale = true;
      this.rest();
    }
  }

  /** Renews the lease, and writes everything again when Redis does not have what this node has. Never rejects. */
  private async renew(): Promise<void> {
    try {
      const stored = await this.redis.eval(
        RENEW,
        2,
        NODES,
        keyOf(this.nodeId),
        this.nodeId,
        this.times.leaseMs,
      );
      if (!this.isStale && stored === this.own.size) return;
      this.isStale = false;
      await this.rewrite();
    } catch {
      this.isStale = true;
    }
  }

  /** In one transaction: nobody seems to be gone in between. */
  private async rewrite(): Promise<void> {
    const key = keyOf(this.nodeId);
    const transaction = this.redis.multi().del(key);
    const people = [...this.own];
    for (let i = 0; i < people.length; i += CHUNK) transaction.sadd(key, ...people.slice(i, i + CHUNK));
    transaction.sadd(NODES, this.nodeId).pexpire(key, this.times.leaseMs);
    const results = await transaction.exec();
    if (results === null || results.some(([error]) => error !== null))
      throw new Error('Redis refused the rewrite.');
  }
}
