/** Parties with a socket, by type. */
export interface PresenceCounts {
  user: number;
  astrologer: number;
  admin: number;
}

/**
 * Who has a socket at this moment, by `partyKey`. Nothing in here rejects, and nothing waits for long: presence is a help to those who ask,
 * never a reason to refuse or delay a message.
 */
export abstract class PresenceStore {
  /** Those with a socket on this node. */
  protected readonly own = new Set<string>();

  /** They have their first socket on this node. When it resolves, other nodes can see it, unless what they share is away. */
  abstract add(key: string): void | Promise<void>;

  /** Their last socket on this node has gone. */
  abstract remove(key: string): void | Promise<void>;

  /** In the order of `keys`. Synchronous when this node knows the answers by itself; else one command for all of them. */
  abstract areOnline(keys: string[]): boolean[] | Promise<boolean[]>;

  /** On all nodes; costs as much as there are people online. */
  abstract count(): PresenceCounts | Promise<PresenceCounts>;

  /** A node is lost: nobody is on it any more. */
  abstract forgetNode(nodeId: string): void | Promise<void>;

  /** Nothing is renewed or written any more, and nobody is on this node. */
  abstract close(): void | Promise<void>;

  protected countOwn(): PresenceCounts {
    const counts: PresenceCounts = { user: 0, astrologer: 0, admin: 0 };
    for (const key of this.own) counts[key.slice(0, key.indexOf(':')) as keyof PresenceCounts] += 1;
    return counts;
  }
}
