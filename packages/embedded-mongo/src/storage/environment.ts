import { open, type Database, type RootDatabase } from 'lmdb';

export type Store = Database<Buffer, Uint8Array>;

/** LMDB's limit for a key at its default page size, in bytes. */
export const MAX_KEY_SIZE = 1978;
const BINARY = { keyEncoding: 'binary', encoding: 'binary' } as const;

/**
 * The LMDB environment of one folder. Collections and indexes share two B-trees and are told apart by a numeric prefix, so
 * that creating and dropping them never opens or closes an LMDB database handle.
 */
export class Environment {
  /** The catalog: collection descriptions, counters, what is still to be reclaimed. */
  readonly meta: Store;
  /** Collection id and record id → raw BSON. */
  readonly records: Store;
  /** Index id and key → record id (unique index) or nothing (the record id ends the key). */
  readonly entries: Store;
  private readonly root: RootDatabase<Buffer, Uint8Array>;
  /** Grows with every transaction: what was read ahead under another version may be outdated. */
  version = 0;
  private closed = false;

  constructor(
    readonly dir: string,
    readonly durable: boolean,
  ) {
    // With overlappingSync off and noSync off LMDB calls fdatasync before a synchronous commit returns; with overlappingSync
    // on a commit would return first.
    this.root = open<Buffer, Uint8Array>({
      path: dir,
      noSubdir: false,
      overlappingSync: false,
      noSync: !durable,
      remapChunks: true,
      maxDbs: 8,
      maxReaders: 64,
      ...BINARY,
    });
    this.meta = this.root.openDB<Buffer, Uint8Array>('meta', BINARY);
    this.records = this.root.openDB<Buffer, Uint8Array>('records', BINARY);
    this.entries = this.root.openDB<Buffer, Uint8Array>('entries', BINARY);
  }

  /** Runs `work` in one transaction and returns when it is on disk; when `work` throws, nothing of it remains. */
  transact<T>(work: () => T): T {
    this.version++;
    try {
      return this.root.transactionSync(work);
    } finally {
      this.version++;
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.root.close();
  }
}
