import { randomBytes } from 'node:crypto';
import { Long } from 'bson';
import type { Deadline } from './commands/deadline.js';
import { ErrorCode, MongoError } from './errors.js';
import { collectionDropped, type Collection } from './storage/collection.js';

/** A cursor that nobody asks is forgotten after ten minutes, as in MongoDB. */
export const DEFAULT_CURSOR_TIMEOUT_MS = 600_000;
/** Documents of one reply: as many as fit a document's own limit. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

export interface CursorSource {
  readonly namespace: string;
  /** Encoded documents. It is asked for no more than a batch needs. */
  readonly documents: Iterator<Uint8Array>;
  /** When this is dropped the cursor ends with an error. */
  readonly collection: Collection | undefined;
  readonly deadline: Deadline;
  /** It ends after so many documents; 0 or undefined: it does not. */
  readonly limit?: number;
  /** It does not time out. */
  readonly lasting?: boolean;
}

/** A result that is handed out in batches. */
export class Cursor {
  lastUsed = Date.now();
  private held: Uint8Array | undefined;
  private returned = 0;
  private done = false;

  constructor(
    readonly id: Long,
    readonly source: CursorSource,
  ) {}

  get exhausted(): boolean {
    const { limit = 0 } = this.source;
    return this.done || (limit > 0 && this.returned >= limit);
  }

  /** Up to `size` documents (undefined: as many as fit a reply). Throws QueryPlanKilled (175) when the collection is gone. */
  nextBatch(size: number | undefined): Uint8Array[] {
    this.lastUsed = Date.now();
    if (this.source.collection?.dropped) {
      throw collectionDropped(this.source.collection);
    }
    this.source.deadline.resume();
    const batch = this.fill(size);
    this.source.deadline.pause();
    this.returned += batch.length;
    return batch;
  }

  close(): void {
    this.done = true;
    this.source.documents.return?.();
  }

  private fill(size: number | undefined): Uint8Array[] {
    if (size === 0) return [];
    const batch: Uint8Array[] = [];
    let bytes = 0;
    for (let document = this.take(); document; document = this.take()) {
      if (batch.length > 0 && bytes + document.length > MAX_BATCH_BYTES) {
        this.held = document;
        break;
      }
      batch.push(document);
      bytes += document.length;
      if (batch.length === size) break;
    }
    return batch;
  }

  private take(): Uint8Array | undefined {
    const held = this.held;
    if (held) {
      this.held = undefined;
      return held;
    }
    if (this.done) return undefined;
    const next = this.source.documents.next();
    if (next.done) {
      this.done = true;
      return undefined;
    }
    return next.value;
  }
}

/** The open cursors of all connections. */
export class CursorRegistry {
  private readonly cursors = new Map<string, Cursor>();

  constructor(private readonly timeoutMs: number) {}

  get size(): number {
    return this.cursors.size;
  }

  /** A cursor that is not open yet: `keep` makes it known. */
  create(source: CursorSource): Cursor {
    return new Cursor(this.freeId(), source);
  }

  keep(cursor: Cursor): void {
    this.cursors.set(cursor.id.toString(), cursor);
  }

  /** Throws CursorNotFound (43). */
  get(id: Long): Cursor {
    this.expire();
    const cursor = this.cursors.get(id.toString());
    if (!cursor) throw new MongoError(ErrorCode.CursorNotFound, `cursor id ${id.toString()} not found`);
    return cursor;
  }

  /** False when there is no such cursor. */
  kill(id: Long): boolean {
    this.cursors.get(id.toString())?.close();
    return this.cursors.delete(id.toString());
  }

  expire(): void {
    const oldest = Date.now() - this.timeoutMs;
    for (const cursor of this.cursors.values()) {
      if (cursor.lastUsed < oldest && !cursor.source.lasting) this.kill(cursor.id);
    }
  }

  clear(): void {
    for (const cursor of this.cursors.values()) cursor.close();
    this.cursors.clear();
  }

  private freeId(): Long {
    for (;;) {
      const id = Long.fromBytesLE([...randomBytes(8)]).and(Long.MAX_VALUE);
      if (!id.isZero() && !this.cursors.has(id.toString())) return id;
    }
  }
}
