import { type PresenceCounts, PresenceStore } from './presence.store.js';

/** For the one node of a deployment without Redis. */
export class MemoryPresenceStore extends PresenceStore {
  override add(key: string): void {
    this.own.add(key);
  }

  override remove(key: string): void {
    this.own.delete(key);
  }

  override areOnline(keys: string[]): boolean[] {
    return keys.map((key) => this.own.has(key));
  }

  override count(): PresenceCounts {
    return this.countOwn();
  }

  /** The people of a node that is gone were in its memory. */
  override forgetNode(): void {}

  override close(): void {
    this.own.clear();
  }
}
