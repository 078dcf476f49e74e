import { createHash } from 'node:crypto';
import type { Doc } from '../bson/values.js';
import { compileQuery, type Query } from '../query/compile.js';
import { MAX_KEY_SIZE, type Environment } from '../storage/environment.js';
import { duplicateKeyError } from './duplicate-key.js';
import type { IndexDefinition } from './definition.js';
import { keyValues, type KeyPart } from './paths.js';
import { encodeValue } from './value-key.js';

export const INDEX_PREFIX_SIZE = 4;
export const RECORD_ID_SIZE = 6;
const HASH_SIZE = 32;
const MAX_FIELDS_SIZE = MAX_KEY_SIZE - INDEX_PREFIX_SIZE - RECORD_ID_SIZE;
/** A longer key keeps this many of its first bytes, and the hash of all of them. */
export const TRUNCATED_SIZE = MAX_FIELDS_SIZE - HASH_SIZE;
const NOTHING = Buffer.alloc(0);
const SIZE_SAMPLE = 100;
/** What LMDB keeps for an entry besides its key, in bytes. */
const ENTRY_OVERHEAD = 14;

/** What a document contributes to an index. */
export interface DocumentKeys {
  /** Distinct keys: the index's prefix and the encoded fields, without the record id. */
  readonly keys: ReadonlyMap<string, Buffer>;
  /** The values behind each key. */
  readonly rows: ReadonlyMap<string, readonly KeyPart[]>;
  readonly multikey: number;
  readonly truncated: boolean;
}

/** One index: what it contains for a document, and its entries in the store. */
export class BtreeIndex {
  readonly prefix: Buffer;
  /** Writes keep it up to date, but it does not have all documents yet: queries cannot use it. */
  building = false;
  private readonly paths: readonly (readonly string[])[];
  private readonly partialQuery: Query | undefined;

  constructor(
    private readonly environment: Environment,
    readonly id: number,
    /** For messages. */
    public namespace: string,
    readonly definition: IndexDefinition,
    /** Bit i: some document has or had an array on the way to field i. */
    public multikey = 0,
    /** Some key is or was too long to be stored whole, so that the index's order is not exact. */
    public truncated = false,
  ) {
    this.prefix = indexPrefix(id);
    this.paths = definition.fields.map((field) => field.parts);
    this.partialQuery = definition.partial && compileQuery(definition.partial);
  }

  /** Throws CannotIndexParallelArrays (171) when the document cannot be indexed. */
  keysOf(doc: Doc): DocumentKeys {
    const keys = new Map<string, Buffer>();
    const rows = new Map<string, readonly KeyPart[]>();
    if (this.partialQuery && !this.partialQuery.matches(doc))
      return { keys, rows, multikey: 0, truncated: false };
    const values = keyValues(doc, this.paths);
    let truncated = false;
    for (const row of values.rows) {
      if (this.definition.sparse && row.every((part) => part === undefined)) continue;
      const fields = this.encodeRow(row);
      truncated ||= fields.length > MAX_FIELDS_SIZE;
      const key = Buffer.concat([this.prefix, shorten(fields)]);
      const text = key.toString('latin1');
      keys.set(text, key);
      rows.set(text, row);
    }
    return { keys, rows, multikey: values.multikey, truncated };
  }

  /** Throws DuplicateKey (11000) when another record than `recordId` has one of the keys of this unique index. */
  assertUnique({ keys, rows }: DocumentKeys, recordId: number): void {
    if (!this.definition.unique) return;
    for (const [text, key] of keys) {
      const owner = this.ownerOf(key);
      if (owner !== undefined && owner !== recordId) {
        throw duplicateKeyError(this.namespace, this.definition, rows.get(text) ?? []);
      }
    }
  }

  /** The record that has this key in a unique index. */
  ownerOf(key: Buffer): number | undefined {
    return this.environment.entries.getBinary(key)?.readUIntBE(0, RECORD_ID_SIZE);
  }

  /** Replaces a record's entries; either side may be absent. Returns whether what is known of the whole index changed. */
  change(recordId: number, before: DocumentKeys | undefined, after: DocumentKeys | undefined): boolean {
    const id = recordIdBytes(recordId);
    for (const [text, key] of before?.keys ?? []) if (!after?.keys.has(text)) this.removeEntry(key, id);
    for (const [text, key] of after?.keys ?? []) if (!before?.keys.has(text)) this.addEntry(key, id);
    if (!after) return false;
    const changed =
      (this.multikey | after.multikey) !== this.multikey || (after.truncated && !this.truncated);
    this.multikey |= after.multikey;
    this.truncated ||= after.truncated;
    return changed;
  }

  /** Bytes of the entries, estimated from the first hundred of them. */
  estimateSize(): number {
    const { entries } = this.environment;
    const range = { start: this.prefix, end: indexPrefix(this.id + 1) };
    let sampled = 0;
    let bytes = 0;
    for (const key of entries.getKeys({ ...range, limit: SIZE_SAMPLE })) {
      sampled++;
      bytes += key.length + ENTRY_OVERHEAD;
    }
    return sampled < SIZE_SAMPLE ? bytes : Math.round((bytes / sampled) * entries.getKeysCount(range));
  }

  encodeRow(row: readonly KeyPart[]): Buffer {
    return Buffer.concat(row.map((part, position) => this.encodePart(part, position)));
  }

  /** One field's share of the key, in the field's direction. A missing field is indexed as null. */
  encodePart(part: KeyPart, position: number): Buffer {
    const bytes = encodeValue(part ?? null);
    return this.definition.fields[position]?.descending ? invert(bytes) : bytes;
  }

  private addEntry(key: Buffer, id: Buffer): void {
    if (this.definition.unique) this.environment.entries.putSync(key, id);
    else this.environment.entries.putSync(Buffer.concat([key, id]), NOTHING);
  }

  private removeEntry(key: Buffer, id: Buffer): void {
    if (!this.definition.unique) this.environment.entries.removeSync(Buffer.concat([key, id]));
    // While the index is being built the key may be there for a document that is a duplicate of this one.
    else if (this.environment.entries.getBinary(key)?.equals(id)) this.environment.entries.removeSync(key);
  }
}

export function indexPrefix(id: number): Buffer {
  const prefix = Buffer.allocUnsafe(INDEX_PREFIX_SIZE);
  prefix.writeUInt32BE(id);
  return prefix;
}

export function recordIdBytes(recordId: number): Buffer {
  const bytes = Buffer.allocUnsafe(RECORD_ID_SIZE);
  bytes.writeUIntBE(recordId, 0, RECORD_ID_SIZE);
  return bytes;
}

export function invert(bytes: Buffer): Buffer {
  const inverted = Buffer.allocUnsafe(bytes.length);
  for (const [position, byte] of bytes.entries()) inverted[position] = ~byte;
  return inverted;
}

function shorten(fields: Buffer): Buffer {
  if (fields.length <= MAX_FIELDS_SIZE) return fields;
  return Buffer.concat([fields.subarray(0, TRUNCATED_SIZE), createHash('sha256').update(fields).digest()]);
}
