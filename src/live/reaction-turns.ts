import type { Redis } from 'ioredis';

const PREFIX = '{samvad:live}:reactions';

/** Which node may send a stream's next reactions, so that all nodes together keep to the limit of one (contract §5). */
export class ReactionTurns {
  /** @param redis absent with a single node */
  constructor(private readonly redis: Redis | undefined) {}

  /**
   * Whether it is this node's turn; then it is nobody's for so many milliseconds. Never rejects: while Redis is away a node has only itself.
   * One Redis command with several nodes, else none.
   */
  async take(streamId: string, milliseconds: number): Promise<boolean> {
    if (this.redis === undefined) return true;
    try {
      return (await this.redis.set(`${PREFIX}:${streamId}`, '1', 'PX', milliseconds, 'NX')) === 'OK';
    } catch {
      return true;
    }
  }
}
