import { statSync } from 'node:fs';
import { join } from 'node:path';
import { open, type Database, type RootDatabase } from 'lmdb';

export type Store = Database<Buffer, Uint8Array>;

/** LMDB's limit for a key at its default page size, in bytes. */
export const MAX_KEY_SIZE = 1978;
const PAGE_SIZE = 4096;
/** Pages of the file that may be mapped into memory, roughly, before the mapping is renewed. */
const MAX_MAPPED_BYTES = 96 * 1024 * 1024;
const BINARY = { keyEncoding: 'binary', encoding: 'binary' } as const;

interface Handles {
  readonly root: RootDatabase<Buffer, Uint8Array>;
  readonly meta: Store;
  readonly records: Store;
  readonly entries: Store;
}

/**
 * The LMDB environment of one folder. Collections and indexes share two B-trees and are told apart by a numeric prefix, so
 * that creating and dropping them never opens or closes an LMDB database handle.
 *
 * LMDB maps its file into memory, and every page that was ever read counts as the process's memory until it is unmapped. So
 * that a large database does not make a large process, the environment is closed and opened again (about a millisecond) when
 * much has been read. Hence no iterator over a store may be open while `touched`, `transact` or a method that calls them runs,
 * and nobody may keep a store.
 */
export class Environment {
  /** Grows with every transaction: what was read ahead under another version may be outdated. */
  version = 0;
  private handles: Handles;
  private inTransaction = false;
  private mappedBytes = 0;
  private closed = false;

  constructor(
    readonly dir: string,
    readonly durable: boolean,
  ) {
    this.handles = openHandles(dir, durable);
  }

  /** The catalog: collection descriptions, counters, what is still to be reclaimed. */
  get meta(): Store {
    return this.handles.meta;
  }

  /** Collection id and record id → raw BSON. */
  get records(): Store {
    return this.handles.records;
  }

  /** Index id and key → record id (unique index) or nothing (the record id ends the key). */
  get entries(): Store {
    return this.handles.entries;
  }

  /** Runs `work` in one transaction and returns when it is on disk; when `work` throws, nothing of it remains. */
  transact<T>(work: () => T): T {
    this.renewMapping();
    this.version++;
    this.inTransaction = true;
    try {
      return this.handles.root.transactionSync(work);
    } finally {
      this.inTransaction = false;
      this.version++;
    }
  }

  /** Notes that pages were read: `places` of them, and `bytes` that follow one another. */
  touched(places: number, bytes: number): void {
    this.mappedBytes += places * PAGE_SIZE + bytes;
    if (!this.inTransaction) this.renewMapping();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.handles.root.close();
  }

  private renewMapping(): void {
    if (this.mappedBytes < MAX_MAPPED_BYTES || this.closed) return;
    this.mappedBytes = 0;
    if (statSync(join(this.dir, 'data.mdb')).size < MAX_MAPPED_BYTES) return;
    // Without asynchronous writes, of which there are none, LMDB closes before close() returns.
    void this.handles.root.close();
    this.handles = openHandles(this.dir, this.durable);
  }
}

function openHandles(dir: string, durable: boolean): Handles {
  // With overlappingSync off and noSync off LMDB calls fdatasync before a synchronous commit returns; with overlappingSync
  // on a commit would return first.
  const root = open<Buffer, Uint8Array>({
    path: dir,
    noSubdir: false,
    overlappingSync: false,
    noSync: !durable,
    maxDbs: 8,
    maxReaders: 64,
    ...BINARY,
  });
  return {
    root,
    meta: root.openDB<Buffer, Uint8Array>('meta', BINARY),
    records: root.openDB<Buffer, Uint8Array>('records', BINARY),
    entries: root.openDB<Buffer, Uint8Array>('entries', BINARY),
  };
}
