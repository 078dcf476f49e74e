import type { Redis } from 'ioredis';
import { ViewerStore } from './viewer.store.js';

const PREFIX = '{samvad:live}';
/** Members of one SADD. */
const CHUNK = 1000;

interface Said {
  /** What this node has in Redis, as far as it knows; undefined when it does not. */
  own: ReadonlySet<string> | undefined;
  /** When that lapses, by `performance.now()`. */
  until: number;
  version: string;
  others: ReadonlySet<string>;
  /** When nothing holds any more that the others had said, by `performance.now()`. */
  othersUntil: number;
}

/** KEYS: nodes of the stream, its version. ARGV: own nodeId, the version that is known. Returns the version, and if it is another one who is on other nodes. */
const READ = `
for _, node in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if redis.call('EXISTS', KEYS[1] .. ':' .. node) == 0 then
    redis.call('SREM', KEYS[1], node)
    redis.call('INCR', KEYS[2])
  end
end
local version = redis.call('GET', KEYS[2]) or '0'
if version == ARGV[2] then return { version } end
local keys = {}
for _, node in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if node ~= ARGV[1] then keys[#keys + 1] = KEYS[1] .. ':' .. node end
end
if #keys == 0 then return { version, {} } end
return { version, redis.call('SUNION', unpack(keys)) }`;

/** KEYS: nodes of the stream. ARGV: own nodeId. Returns how many are on other nodes. */
const COUNT = `
local keys = {}
for _, node in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if node ~= ARGV[1] then keys[#keys + 1] = KEYS[1] .. ':' .. node end
end
if #keys == 0 then return 0 end
if #keys == 1 then return redis.call('SCARD', keys[1]) end
return #redis.call('SUNION', unpack(keys))`;

/**
 * For several nodes: a set of viewers for each stream and node, which lapses when its node does not renew it, and a version that says whether
 * anything changed. Round trips: 1 when nothing changed, 2 when somebody came or went here; 1 for a count.
 */
export class RedisViewerStore extends ViewerStore {
  private readonly said = new Map<string, Said>();

  constructor(
    private readonly redis: Redis,
    private readonly nodeId: string,
    private readonly leaseMs: number,
  ) {
    super();
  }

  override async exchange(streamId: string, own: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const before = this.said.get(streamId);
    try {
      const until = await this.say(streamId, own, before);
      const { version, others } = await this.read(streamId, before);
      const othersUntil = performance.now() + this.leaseMs;
      if (own.size === 0) this.said.delete(streamId);
      else this.said.set(streamId, { own, until, version, others, othersUntil });
      return others;
    } catch {
      const others = this.lastKnown(streamId, before);
      if (own.size === 0) this.said.delete(streamId);
      return others;
    }
  }

  override async countOthers(streamId: string): Promise<number> {
    try {
      return (await this.redis.eval(COUNT, 1, this.keyOf(streamId), this.nodeId)) as number;
    } catch {
      return this.lastKnown(streamId, this.said.get(streamId)).size;
    }
  }

  /** For a moment without Redis nobody has gone. All is said, and asked, anew when it is back. */
  private lastKnown(streamId: string, before: Said | undefined): ReadonlySet<string> {
    if (before === undefined || before.othersUntil <= performance.now()) {
      this.said.delete(streamId);
      return new Set();
    }
    this.said.set(streamId, { ...before, own: undefined, version: '' });
    return before.others;
  }

  /** Writes what changed, or renews it in good time. Returns when it lapses. */
  private async say(streamId: string, own: ReadonlySet<string>, before: Said | undefined): Promise<number> {
    const now = performance.now();
    const isSame = before?.own !== undefined && isEqual(before.own, own);
    if (isSame && before.until - now > this.leaseMs / 2) return before.until;
    const key = this.keyOf(streamId);
    const mine = `${key}:${this.nodeId}`;
    const transaction = this.redis.multi();
    if (isSame) transaction.pexpire(mine, this.leaseMs);
    else this.replace(transaction, key, mine, own);
    const results = await transaction.exec();
    if (results === null || results.some(([error]) => error !== null)) throw new Error('Redis refused.');
    // It had lapsed, or Redis began anew: the next time everything is written.
    if (isSame && results[0]?.[1] === 0) throw new Error('The set is gone.');
    return now + this.leaseMs;
  }

  private replace(
    transaction: ReturnType<Redis['multi']>,
    key: string,
    mine: string,
    own: ReadonlySet<string>,
  ): void {
    transaction.del(mine);
    const members = [...own];
    for (let i = 0; i < members.length; i += CHUNK) transaction.sadd(mine, ...members.slice(i, i + CHUNK));
    if (members.length > 0) transaction.pexpire(mine, this.leaseMs).sadd(key, this.nodeId);
    else transaction.srem(key, this.nodeId);
    transaction.incr(`${key}:version`).pexpire(`${key}:version`, 24 * 3600 * 1000);
    transaction.pexpire(key, 24 * 3600 * 1000);
  }

  private async read(
    streamId: string,
    before: Said | undefined,
  ): Promise<{ version: string; others: ReadonlySet<string> }> {
    const key = this.keyOf(streamId);
    const [version, others] = (await this.redis.eval(
      READ,
      2,
      key,
      `${key}:version`,
      this.nodeId,
      before?.version ?? '',
    )) as [string, string[]?];
    return { version, others: others === undefined ? (before?.others ?? new Set()) : new Set(others) };
  }

  private keyOf(streamId: string): string {
    return `${PREFIX}:${streamId}`;
  }
}

function isEqual(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((member) => b.has(member));
}
