import { indexPrefix } from '../index/btree-index.js';
import type { Environment, Store } from './environment.js';

const KEYS_PER_STEP = 1_000;
const GRAVE = 'g'.charCodeAt(0);
const RECORDS = 'r'.charCodeAt(0);
const ENTRIES = 'e'.charCodeAt(0);

/**
 * What dropped collections and indexes leave behind. Dropping only notes their ids, so that it costs the same for a million
 * documents as for one; the space is given back in small steps afterwards, also after a restart.
 */
export class Graveyard {
  constructor(private readonly environment: Environment) {}

  /** Runs inside a transaction, as do the other two. */
  buryRecords(collectionId: number): void {
    this.environment.meta.putSync(graveKey(RECORDS, collectionId), Buffer.of(1));
  }

  buryEntries(indexId: number): void {
    this.environment.meta.putSync(graveKey(ENTRIES, indexId), Buffer.of(1));
  }

  /** Removes up to a thousand keys. */
  sweep(): void {
    const grave = this.first();
    if (!grave) return;
    const store: Store = grave[1] === RECORDS ? this.environment.records : this.environment.entries;
    const id = grave.readUInt32BE(2);
    const range = { start: indexPrefix(id), end: indexPrefix(id + 1), limit: KEYS_PER_STEP };
    const keys = Array.from(store.getKeys(range), (key) => Buffer.from(key));
    for (const key of keys) store.removeSync(key);
    if (keys.length < KEYS_PER_STEP) this.environment.meta.removeSync(grave);
  }

  get isEmpty(): boolean {
    return this.first() === undefined;
  }

  private first(): Buffer | undefined {
    for (const key of this.environment.meta.getKeys({
      start: Buffer.of(GRAVE),
      end: Buffer.of(GRAVE + 1),
      limit: 1,
    })) {
      return Buffer.from(key);
    }
    return undefined;
  }
}

function graveKey(kind: number, id: number): Buffer {
  const key = Buffer.allocUnsafe(6);
  key[0] = GRAVE;
  key[1] = kind;
  key.writeUInt32BE(id, 2);
  return key;
}
