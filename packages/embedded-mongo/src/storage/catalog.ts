import { UUID } from 'bson';
import { decodeDoc } from '../bson/decode.js';
import type { Doc } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { BtreeIndex } from '../index/btree-index.js';
import { alreadyExists, type IndexDefinition } from '../index/definition.js';
import { Collection, collectionDropped, type CollectionListener } from './collection.js';
import { CatalogStore } from './catalog-store.js';
import { idIndexDefinition } from './descriptions.js';
import type { Environment } from './environment.js';
import type { Steps } from './group-commit.js';
import { assertCollectionName } from './namespace.js';
import { Graveyard } from './graveyard.js';

const TEMPORARY_PREFIX = 'tmp.agg_out.';
const MAX_INDEXES = 64;

/** All databases, collections and indexes: in memory for reading, on disk through the transactions that change them. */
export class Catalog implements CollectionListener {
  readonly graveyard: Graveyard;
  private readonly store: CatalogStore;
  private readonly databases = new Map<string, Map<string, Collection>>();
  private readonly changed = new Set<Collection>();

  constructor(private readonly environment: Environment) {
    this.graveyard = new Graveyard(environment);
    this.store = new CatalogStore(environment);
    this.load();
  }

  /** A collection or a view. */
  entry(database: string, name: string): Collection | undefined {
    return this.databases.get(database)?.get(name);
  }

  view(database: string, name: string): Collection | undefined {
    const found = this.entry(database, name);
    return found?.isView ? found : undefined;
  }

  /** Throws CommandNotSupportedOnView (166) for a view, so that nobody takes it for an empty collection. */
  collection(database: string, name: string): Collection | undefined {
    const found = this.entry(database, name);
    if (found?.isView) {
      throw new MongoError(
        ErrorCode.CommandNotSupportedOnView,
        `Namespace ${database}.${name} is a view, not a collection`,
      );
    }
    return found;
  }

  databaseNames(): string[] {
    return [...this.databases.keys()].toSorted();
  }

  collections(database: string): Collection[] {
    return [...(this.databases.get(database)?.values() ?? [])];
  }

  *allCollections(): Generator<Collection> {
    for (const collections of this.databases.values()) yield* collections.values();
  }

  /** The methods from here on run inside a transaction. */
  create(database: string, name: string, options: Doc = new Map()): Collection {
    assertCollectionName(database, name);
    if (this.entry(database, name)) {
      throw new MongoError(ErrorCode.NamespaceExists, `Collection ${database}.${name} already exists.`);
    }
    const collection = new Collection(this.environment, {
      id: this.store.nextId(),
      database,
      name,
      options,
      uuid: new UUID(),
      indexes: [this.newIndex(`${database}.${name}`, idIndexDefinition())],
      listener: this,
    });
    this.register(collection);
    this.descriptionChanged(collection);
    this.countersChanged(collection);
    return collection;
  }

  /** Gives a collection another name, which must be free, in its database. */
  rename(collection: Collection, name: string): void {
    if (collection.dropped) throw collectionDropped(collection);
    assertCollectionName(collection.database, name);
    const siblings = this.databases.get(collection.database);
    siblings?.delete(collection.name);
    collection.name = name;
    for (const index of collection.indexes) index.namespace = collection.namespace;
    siblings?.set(name, collection);
    if (!siblings) this.register(collection);
    this.descriptionChanged(collection);
  }

  /** An empty collection for what will replace another: renamed in the end, or dropped at the next start. */
  createTemporary(database: string, options?: Doc): Collection {
    return this.create(database, `${TEMPORARY_PREFIX}${this.store.nextId()}`, options);
  }

  /** Removes what a process that was killed left behind. */
  dropTemporary(): void {
    for (const collection of this.allCollections()) {
      if (collection.name.startsWith(TEMPORARY_PREFIX)) this.drop(collection);
    }
    for (const indexId of this.store.markedAsBuilding()) {
      this.graveyard.buryEntries(indexId);
      this.store.unmarkBuilding(indexId);
    }
  }

  drop(collection: Collection): void {
    if (collection.dropped) return;
    collection.dropped = true;
    this.changed.delete(collection);
    this.store.remove(collection);
    this.graveyard.buryRecords(collection.id);
    for (const index of collection.indexes) {
      this.graveyard.buryEntries(index.id);
      if (index.building) this.endBuilding(index);
    }
    const siblings = this.databases.get(collection.database);
    siblings?.delete(collection.name);
    if (siblings?.size === 0) this.databases.delete(collection.database);
  }

  /**
   * Builds the index over what is stored, in steps; false when it is there already. Documents that are written meanwhile are
   * indexed by their writers. Throws IndexOptionsConflict (85), IndexKeySpecsConflict (86), DuplicateKey (11000) when the
   * documents do not allow a unique index, IndexBuildAborted (276) when the index is dropped before it is complete.
   */
  *createIndex(collection: Collection, definition: IndexDefinition): Steps<boolean> {
    for (;;) {
      if (collection.dropped) throw collectionDropped(collection);
      const existing = collection.indexes.map((index) => index.definition);
      if (!alreadyExists(definition, existing)) break;
      if (
        !collection.indexes.some(({ building, definition: { name } }) => building && name === definition.name)
      )
        return false;
      yield 'pause';
    }
    if (collection.indexes.length >= MAX_INDEXES) {
      throw new MongoError(
        ErrorCode.CannotCreateIndex,
        `add index fails, too many indexes for ${collection.namespace}`,
      );
    }
    const index = this.newIndex(collection.namespace, definition);
    this.beginBuilding(collection, index);
    try {
      yield* fillIndex(collection, index);
    } catch (error) {
      if (error instanceof MongoError && collection.indexes.includes(index))
        this.dropIndex(collection, index);
      throw error;
    }
    this.endBuilding(index);
    this.descriptionChanged(collection);
    return true;
  }

  /** Of a collection that is gone the indexes are gone too. */
  dropIndex(collection: Collection, index: BtreeIndex): void {
    if (collection.dropped) return;
    collection.indexes = collection.indexes.filter((other) => other !== index);
    this.graveyard.buryEntries(index.id);
    if (index.building) this.endBuilding(index);
    this.descriptionChanged(collection);
  }

  private beginBuilding(collection: Collection, index: BtreeIndex): void {
    index.building = true;
    this.store.markBuilding(index.id);
    collection.indexes = [...collection.indexes, index];
  }

  private endBuilding(index: BtreeIndex): void {
    index.building = false;
    this.store.unmarkBuilding(index.id);
  }

  countersChanged(collection: Collection): void {
    if (!collection.dropped) this.changed.add(collection);
  }

  descriptionChanged(collection: Collection): void {
    if (!collection.dropped) this.store.putDescription(collection);
  }

  /** Writes the counters of the collections that the transaction touched. */
  beforeCommit(): void {
    for (const collection of this.changed) this.store.putCounters(collection);
    this.changed.clear();
  }

  /** After a transaction was undone: what is on disk is the truth. Cursors that are open end. */
  reload(): void {
    for (const collections of this.databases.values()) {
      for (const collection of collections.values()) collection.dropped = true;
    }
    this.databases.clear();
    this.changed.clear();
    this.load();
  }

  private load(): void {
    for (const collection of this.store.load(this)) this.register(collection);
  }

  private register(collection: Collection): void {
    const siblings = this.databases.get(collection.database) ?? new Map<string, Collection>();
    siblings.set(collection.name, collection);
    this.databases.set(collection.database, siblings);
  }

  private newIndex(namespace: string, definition: IndexDefinition): BtreeIndex {
    return new BtreeIndex(this.environment, this.store.nextId(), namespace, definition);
  }
}

function* fillIndex(collection: Collection, index: BtreeIndex): Steps<void> {
  for (const { recordId, raw } of collection.scan()) {
    const keys = index.keysOf(decodeDoc(raw));
    index.assertUnique(keys, recordId);
    index.change(recordId, undefined, keys);
    yield;
    if (collection.dropped) throw collectionDropped(collection);
    if (!collection.indexes.includes(index)) {
      throw new MongoError(
        ErrorCode.IndexBuildAborted,
        `Index build failed: ${index.definition.name} was dropped`,
      );
    }
  }
}
