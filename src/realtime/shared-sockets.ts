import { randomUUID } from 'node:crypto';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { RedisConnection } from '../redis/redis-connection.js';
import type { Connection } from './connections.js';

/** `SOCKETS:<identity>` has an identity's sockets, oldest first, each with its node; `NODES:<node>` lives as long as its node renews it. */
const SOCKETS = '{samvad:sockets}:of';
const NODES = '{samvad:sockets}:node';
const LEASE_MS = 20_000;
const RENEWAL_MS = 5000;
/** A set that nobody writes to is forgotten: connections last for hours, seldom for days. */
const SET_TTL_MS = 7 * 24 * 3_600_000;

/**
 * KEYS: the identity's set. ARGV: member, when it came in ms, how many may stay, the set's life in ms, prefix of the nodes' keys. Forgets the
 * sockets of nodes that are gone, and returns the members that are the oldest of too many, which it forgets, too.
 */
const ADD = `
local newest = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local at = tonumber(ARGV[2])
if newest[2] and tonumber(newest[2]) >= at then at = tonumber(newest[2]) + 1 end
redis.call('ZADD', KEYS[1], 'NX', at, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
local most = tonumber(ARGV[3])
if redis.call('ZCARD', KEYS[1]) <= most then return {} end
local alive = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local node = string.match(member, '^%S+')
  if alive[node] == nil then alive[node] = redis.call('EXISTS', ARGV[5] .. ':' .. node) end
  if alive[node] == 0 then redis.call('ZREM', KEYS[1], member) end
end
local excess = redis.call('ZCARD', KEYS[1]) - most
if excess <= 0 then return {} end
local old = redis.call('ZRANGE', KEYS[1], 0, excess - 1)
redis.call('ZREM', KEYS[1], unpack(old))
return old`;

interface Entry {
  connection: Connection;
  /** Epoch milliseconds. */
  since: number;
  most: number;
}

/**
 * The sockets of each identity on all nodes, in Redis; nothing without it. What fails is left: the bound of each node holds all the same, and
 * what a node has is written again when Redis is back. One command for each socket that comes or goes, of 0.4 s at the most.
 */
@Injectable()
export class SharedSockets implements BeforeApplicationShutdown {
  private readonly nodeId = randomUUID();
  private readonly here = new Map<string, Entry>();
  private readonly timer: NodeJS.Timeout | undefined;
  private tellExcess: (socketIds: string[]) => void = () => undefined;

  constructor(private readonly redis: RedisConnection) {
    const { client } = redis;
    if (client === undefined) return;
    this.timer = setInterval(() => void this.renew(), RENEWAL_MS).unref();
    client.on('ready', () => void this.writeAgain());
    if (client.status === 'ready') void this.renew();
  }

  /** `listener` is called with the ids of sockets that are too many and must go, on whichever node they are. */
  onExcess(listener: (socketIds: string[]) => void): void {
    this.tellExcess = listener;
  }

  /** Never rejects. */
  async add(connection: Connection, most: number): Promise<void> {
    if (this.redis.client === undefined) return;
    const entry = { connection, since: Date.now(), most };
    this.here.set(connection.socketId, entry);
    await this.write(entry);
  }

  /** Never rejects. */
  async remove({ socketId, user }: Connection): Promise<void> {
    if (!this.here.delete(socketId)) return;
    await this.redis.client?.zrem(keyOf(user), this.memberOf(socketId)).catch(() => undefined);
  }

  /** Its sockets are forgotten by those who come after them. */
  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    this.here.clear();
    await this.redis.client?.del(`${NODES}:${this.nodeId}`).catch(() => undefined);
  }

  private memberOf(socketId: string): string {
    return `${this.nodeId} ${socketId}`;
  }

  private async write({ connection: { socketId, user }, since, most }: Entry): Promise<void> {
    const settings = [this.memberOf(socketId), since, most, SET_TTL_MS, NODES];
    try {
      const old = (await this.redis.client?.eval(ADD, 1, keyOf(user), ...settings)) as string[];
      if (old.length > 0) this.tellExcess(old.map((member) => member.slice(member.indexOf(' ') + 1)));
    } catch {
      // This node's own bound holds, and what it has is written again.
    }
  }

  /** Never rejects. */
  private async renew(): Promise<void> {
    await this.redis.client?.set(`${NODES}:${this.nodeId}`, '1', 'PX', LEASE_MS).catch(() => undefined);
  }

  private async writeAgain(): Promise<void> {
    await this.renew();
    for (const entry of this.here.values()) await this.write(entry);
  }
}

function keyOf({ type, id }: Connection['user']): string {
  return `${SOCKETS}:${type}:${id}`;
}
