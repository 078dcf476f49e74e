import type { Binary } from 'bson';
import type { Doc } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { indexPrefix, RECORD_ID_SIZE, recordIdBytes, type BtreeIndex } from '../index/btree-index.js';
import type { Environment } from './environment.js';

const PREFIX_SIZE = 4;
const MAX_RECORD_ID = 2 ** (8 * RECORD_ID_SIZE) - 1;
const FIRST_CHUNK = 16;
const MAX_CHUNK = 256;
const MAX_CHUNK_BYTES = 1_000_000;

export interface StoredRecord {
  readonly recordId: number;
  readonly raw: Buffer;
}

/** What a collection tells the catalog, which keeps the counters and the description on disk. */
export interface CollectionListener {
  countersChanged(collection: Collection): void;
  descriptionChanged(collection: Collection): void;
}

export interface CollectionDescription {
  readonly id: number;
  readonly database: string;
  readonly name: string;
  readonly options: Doc;
  readonly uuid: Binary;
  readonly indexes: readonly BtreeIndex[];
  readonly listener: CollectionListener;
}

/**
 * A collection's records and their index entries. Writing methods run inside a transaction; each checks everything that can be
 * wrong with its document before it writes anything.
 */
export class Collection {
  readonly prefix: Buffer;
  readonly id: number;
  readonly database: string;
  name: string;
  /** What `create` was given and listCollections shows. */
  readonly options: Doc;
  readonly uuid: Binary;
  /** The index on _id comes first. */
  indexes: readonly BtreeIndex[];
  /** Set when the collection is gone: cursors over it end. */
  dropped = false;
  count = 0;
  /** Sum of the documents' BSON sizes, in bytes. */
  size = 0;
  private nextRecordId: number | undefined;

  private readonly listener: CollectionListener;

  constructor(
    private readonly environment: Environment,
    description: CollectionDescription,
  ) {
    this.id = description.id;
    this.database = description.database;
    this.name = description.name;
    this.options = description.options;
    this.uuid = description.uuid;
    this.indexes = description.indexes;
    this.listener = description.listener;
    this.prefix = indexPrefix(this.id);
  }

  /** A view is kept like a collection that has no documents. */
  get isView(): boolean {
    return this.options.has('viewOn');
  }

  get namespace(): string {
    return `${this.database}.${this.name}`;
  }

  get idIndex(): BtreeIndex {
    const [index] = this.indexes;
    if (!index) throw new Error(`${this.namespace} has no index on _id`);
    return index;
  }

  read(recordId: number): Buffer | undefined {
    this.environment.touched(1, 0);
    return this.environment.records.getBinary(this.recordKey(recordId));
  }

  /**
   * Stores a new document. Throws DuplicateKey (11000), QueryPlanKilled (175) when the collection is gone, and errors of
   * index keys, having written nothing.
   */
  insert(doc: Doc, raw: Uint8Array): number {
    this.assertThere();
    const recordId = this.takeRecordId();
    this.changeEntries(recordId, undefined, doc);
    this.environment.records.putSync(this.recordKey(recordId), asBuffer(raw));
    this.environment.touched(1 + this.indexes.length, 0);
    this.adjust(1, raw.length);
    return recordId;
  }

  /** Puts another document with the same _id in a record's place. Throws as `insert` does. */
  replace(recordId: number, before: Doc, beforeSize: number, after: Doc, raw: Uint8Array): void {
    this.assertThere();
    this.changeEntries(recordId, before, after);
    this.environment.records.putSync(this.recordKey(recordId), asBuffer(raw));
    this.adjust(0, raw.length - beforeSize);
  }

  remove(recordId: number, doc: Doc, size: number): void {
    this.assertThere();
    this.changeEntries(recordId, doc, undefined);
    this.environment.records.removeSync(this.recordKey(recordId));
    this.adjust(-1, -size);
  }

  /**
   * Every record in natural order, from `after` (exclusive) on; values are copies. Records are read ahead in small chunks, never
   * across a commit, so that the iterator may be kept for as long as the collection exists.
   */
  *scan(reverse = false): Generator<StoredRecord> {
    let after = reverse ? MAX_RECORD_ID : 0;
    let size = FIRST_CHUNK;
    for (;;) {
      const version = this.environment.version;
      const chunk = this.chunk(after, reverse, size);
      for (const record of chunk) {
        after = record.recordId;
        yield record;
        if (this.environment.version !== version) break;
      }
      if (this.environment.version === version && chunk.length === 0) return;
      size = Math.min(size * 4, MAX_CHUNK);
    }
  }

  private chunk(after: number, reverse: boolean, limit: number): StoredRecord[] {
    const start = this.recordKey(reverse ? after - 1 : after + 1);
    const end = reverse ? this.prefix : indexPrefix(this.id + 1);
    const chunk: StoredRecord[] = [];
    let bytes = 0;
    for (const { key, value } of this.environment.records.getRange({ start, end, reverse, limit })) {
      chunk.push({ recordId: Buffer.from(key).readUIntBE(PREFIX_SIZE, RECORD_ID_SIZE), raw: value });
      bytes += value.length;
      if (bytes > MAX_CHUNK_BYTES) break;
    }
    this.environment.touched(1, bytes);
    return chunk;
  }

  recordKey(recordId: number): Buffer {
    return Buffer.concat([this.prefix, recordIdBytes(recordId)]);
  }

  /** A command that works in steps may hold a collection that another one has dropped: what it wrote would be lost or haunt. */
  private assertThere(): void {
    if (this.dropped) throw collectionDropped(this);
  }

  private changeEntries(recordId: number, before: Doc | undefined, after: Doc | undefined): void {
    const changes = this.indexes.map((index) => ({
      index,
      before: before && index.keysOf(before),
      after: after && index.keysOf(after),
    }));
    for (const { index, after: keys } of changes) if (keys) index.assertUnique(keys, recordId);
    let described = false;
    for (const change of changes)
      described = change.index.change(recordId, change.before, change.after) || described;
    if (described) this.listener.descriptionChanged(this);
  }

  private adjust(documents: number, bytes: number): void {
    this.count += documents;
    this.size += bytes;
    this.listener.countersChanged(this);
  }

  private takeRecordId(): number {
    this.nextRecordId ??= this.lastRecordId() + 1;
    if (this.nextRecordId >= MAX_RECORD_ID) throw new MongoError(1, 'record ids are exhausted');
    return this.nextRecordId++;
  }

  private lastRecordId(): number {
    const range = { start: indexPrefix(this.id + 1), end: this.prefix, reverse: true, limit: 1 };
    for (const key of this.environment.records.getKeys(range))
      return Buffer.from(key).readUIntBE(PREFIX_SIZE, RECORD_ID_SIZE);
    return 0;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What an operation ends with whose collection is dropped while it goes on. */
export function collectionDropped({ uuid }: Collection): MongoError {
  return new MongoError(ErrorCode.QueryPlanKilled, `collection dropped. UUID ${uuid.toString('hex')}`);
}
