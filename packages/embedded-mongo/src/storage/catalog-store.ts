import { decodeCollection, encodeCollection, encodeCounters, restoreCounters } from './descriptions.js';
import type { Collection, CollectionListener } from './collection.js';
import type { Environment } from './environment.js';

const NEXT_ID = Buffer.from('s');
const COLLECTION = 'c'.charCodeAt(0);
const COUNTERS = 'n'.charCodeAt(0);
const BUILDING = 'b'.charCodeAt(0);

/** What the catalog is on disk. Everything but `load` runs inside a transaction. */
export class CatalogStore {
  constructor(private readonly environment: Environment) {}

  *load(listener: CollectionListener): Generator<Collection> {
    const { meta } = this.environment;
    for (const { key, value } of meta.getRange(rangeOf(COLLECTION))) {
      const id = Buffer.from(key).readUInt32BE(1);
      const collection = decodeCollection(this.environment, id, value, listener);
      restoreCounters(collection, meta.getBinary(metaKey(COUNTERS, id)));
      yield collection;
    }
  }

  /** A number that no collection and no index ever had. */
  nextId(): number {
    const { meta } = this.environment;
    const id = meta.getBinary(NEXT_ID)?.readUInt32BE(0) ?? 1;
    const next = Buffer.allocUnsafe(4);
    next.writeUInt32BE(id + 1);
    meta.putSync(NEXT_ID, next);
    return id;
  }

  putDescription(collection: Collection): void {
    this.environment.meta.putSync(metaKey(COLLECTION, collection.id), encodeCollection(collection));
  }

  putCounters(collection: Collection): void {
    this.environment.meta.putSync(metaKey(COUNTERS, collection.id), encodeCounters(collection));
  }

  remove({ id }: Collection): void {
    this.environment.meta.removeSync(metaKey(COLLECTION, id));
    this.environment.meta.removeSync(metaKey(COUNTERS, id));
  }

  /** An index that is marked when the process starts was never completed. */
  markBuilding(indexId: number): void {
    this.environment.meta.putSync(metaKey(BUILDING, indexId), Buffer.of(1));
  }

  unmarkBuilding(indexId: number): void {
    this.environment.meta.removeSync(metaKey(BUILDING, indexId));
  }

  markedAsBuilding(): number[] {
    return Array.from(this.environment.meta.getKeys(rangeOf(BUILDING)), (key) =>
      Buffer.from(key).readUInt32BE(1),
    );
  }
}

function rangeOf(kind: number): { start: Buffer; end: Buffer } {
  return { start: Buffer.of(kind), end: Buffer.of(kind + 1) };
}

function metaKey(kind: number, id: number): Buffer {
  const key = Buffer.allocUnsafe(5);
  key[0] = kind;
  key.writeUInt32BE(id, 1);
  return key;
}
