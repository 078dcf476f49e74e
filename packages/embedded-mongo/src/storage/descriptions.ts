import { Binary, UUID } from 'bson';
import { decodeDoc } from '../bson/decode.js';
import { docFromPlain, encodeDoc } from '../bson/encode.js';
import { isDoc, type Doc, type Value } from '../bson/values.js';
import { BtreeIndex } from '../index/btree-index.js';
import { parseIndexSpec, type IndexDefinition } from '../index/definition.js';
import { Collection, type CollectionListener } from './collection.js';
import type { Environment } from './environment.js';

const COUNTERS_SIZE = 16;

/** How collections are written down in the catalog: one description and, apart from it because it changes often, the counters. */
export function encodeCollection(collection: Collection): Buffer {
  return encodeDoc(
    docFromPlain({
      database: collection.database,
      name: collection.name,
      options: collection.options,
      uuid: collection.uuid,
      indexes: collection.indexes
        .filter(({ building }) => !building)
        .map((index) => ({
          id: index.id,
          spec: index.definition.spec,
          multikey: index.multikey,
          truncated: index.truncated,
        })),
    }),
  );
}

export function decodeCollection(
  environment: Environment,
  id: number,
  bytes: Buffer,
  listener: CollectionListener,
): Collection {
  const doc = decodeDoc(bytes);
  const database = asString(doc.get('database'));
  const name = asString(doc.get('name'));
  const indexes = asArray(doc.get('indexes')).map((value) => {
    const index = asDoc(value);
    return new BtreeIndex(
      environment,
      Number(index.get('id')),
      `${database}.${name}`,
      parseIndexSpec(asDoc(index.get('spec'))),
      Number(index.get('multikey')),
      index.get('truncated') === true,
    );
  });
  const uuid = doc.get('uuid');
  return new Collection(environment, {
    id,
    database,
    name,
    options: asDoc(doc.get('options')),
    uuid: uuid instanceof Binary ? uuid : new UUID(),
    indexes,
    listener,
  });
}

export function encodeCounters({ count, size }: Collection): Buffer {
  const bytes = Buffer.allocUnsafe(COUNTERS_SIZE);
  bytes.writeDoubleLE(count, 0);
  bytes.writeDoubleLE(size, 8);
  return bytes;
}

export function restoreCounters(collection: Collection, bytes: Buffer | undefined): void {
  collection.count = bytes?.readDoubleLE(0) ?? 0;
  collection.size = bytes?.readDoubleLE(8) ?? 0;
}

export function idIndexDefinition(): IndexDefinition {
  return parseIndexSpec(docFromPlain({ v: 2, key: { _id: 1 }, name: '_id_' }));
}

function asString(value: Value | undefined): string {
  if (typeof value !== 'string') throw new Error('the catalog is damaged');
  return value;
}

function asDoc(value: Value | undefined): Doc {
  if (!isDoc(value)) throw new Error('the catalog is damaged');
  return value;
}

function asArray(value: Value | undefined): Value[] {
  if (!Array.isArray(value)) throw new Error('the catalog is damaged');
  return value;
}
