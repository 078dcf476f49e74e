import type { Doc, Value } from '../bson/values.js';
import { docFromPlain, encodeDoc } from '../bson/encode.js';
import { ErrorCode, MongoError } from '../errors.js';
import { assertSimpleCollation } from '../index/definition.js';
import { compileQuery } from '../query/compile.js';
import type { Collection } from '../storage/collection.js';
import { assertDatabaseName } from '../storage/namespace.js';
import { booleanArgument, collectionName, countArgument, docArgument } from './arguments.js';
import type { Command, CommandContext, CommandRequest } from './command.js';
import { firstBatch, notSupported } from './find.js';

const UNSUPPORTED_OPTIONS = [
  'capped',
  'size',
  'max',
  'timeseries',
  'expireAfterSeconds',
  'clusteredIndex',
  'changeStreamPreAndPostImages',
  'storageEngine',
  'indexOptionDefaults',
  'validator',
  'validationLevel',
  'validationAction',
  'viewOn',
  'pipeline',
  'encryptedFields',
];

export const create: Command = {
  name: 'create',
  kind: 'write',
  fields: [...UNSUPPORTED_OPTIONS, 'collation', 'autoIndexId', 'idIndex', 'flags'],
  run(request, { catalog }) {
    const name = collectionName(request);
    assertSimpleCollation(request.body.get('collation'));
    for (const option of UNSUPPORTED_OPTIONS) {
      const value = request.body.get(option);
      if (value !== undefined && value !== false) throw notSupported(`the collection option '${option}'`);
    }
    catalog.create(request.database, name);
    return { ok: 1 };
  },
};

export const drop: Command = {
  name: 'drop',
  kind: 'write',
  fields: [],
  run(request, { catalog }) {
    const name = collectionName(request);
    const collection = catalog.collection(request.database, name);
    if (!collection) return { ok: 1 };
    catalog.drop(collection);
    return { nIndexesWas: collection.indexes.length, ns: collection.namespace, ok: 1 };
  },
};

export const dropDatabase: Command = {
  name: 'dropDatabase',
  kind: 'write',
  fields: [],
  run({ database }, { catalog }) {
    assertDatabaseName(database);
    const collections = catalog.collections(database);
    for (const collection of collections) catalog.drop(collection);
    return { ...(collections.length > 0 ? { dropped: database } : {}), ok: 1 };
  },
};

export const listCollections: Command = {
  name: 'listCollections',
  kind: 'read',
  fields: ['filter', 'nameOnly', 'authorizedCollections', 'cursor'],
  run(request, context) {
    const { body, database } = request;
    const filter = compileQuery(docArgument(body, 'listCollections', 'filter') ?? new Map<string, Value>());
    const nameOnly = booleanArgument(body, 'listCollections', 'nameOnly');
    const found = context.catalog
      .collections(database)
      .map(describeCollection)
      .filter((doc) => filter.matches(doc))
      .map((doc) => (nameOnly ? pick(doc, ['name', 'type']) : doc));
    return listReply(request, context, `${database}.$cmd.listCollections`, found);
  },
};

function describeCollection({ name, options, uuid, idIndex }: Collection): Doc {
  return docFromPlain({
    name,
    type: 'collection',
    options,
    info: { readOnly: false, uuid },
    idIndex: idIndex.definition.spec,
  });
}

/** A list as a cursor that is used up unless a small batch size was asked for. */
export function listReply(
  { body, name, deadline }: CommandRequest,
  context: CommandContext,
  namespace: string,
  docs: readonly Doc[],
) {
  const options = docArgument(body, name, 'cursor');
  const batchSize = (options && countArgument(options, `${name}.cursor`, 'batchSize')) ?? docs.length + 1;
  const documents = docs.map((doc) => encodeDoc(doc)).values();
  const cursor = context.cursors.create({ namespace, documents, collection: undefined, deadline });
  return firstBatch(context, cursor, batchSize);
}

export const listDatabases: Command = {
  name: 'listDatabases',
  kind: 'read',
  fields: ['filter', 'nameOnly', 'authorizedDatabases'],
  run({ body, database }, { catalog }) {
    if (database !== 'admin') {
      throw new MongoError(
        ErrorCode.Unauthorized,
        'listDatabases may only be run against the admin database.',
      );
    }
    const filter = compileQuery(docArgument(body, 'listDatabases', 'filter') ?? new Map<string, Value>());
    const nameOnly = booleanArgument(body, 'listDatabases', 'nameOnly');
    let totalSize = 0;
    const databases: Doc[] = [];
    for (const name of catalog.databaseNames()) {
      const sizeOnDisk = catalog.collections(name).reduce((sum, collection) => sum + collection.size, 0);
      const doc = docFromPlain({ name, sizeOnDisk, empty: false });
      if (!filter.matches(doc)) continue;
      totalSize += sizeOnDisk;
      databases.push(nameOnly ? pick(doc, ['name']) : doc);
    }
    return {
      databases,
      ...(nameOnly ? {} : { totalSize, totalSizeMb: Math.floor(totalSize / 1024 ** 2) }),
      ok: 1,
    };
  },
};

function pick(doc: Doc, fields: readonly string[]): Doc {
  return new Map([...doc].filter(([field]) => fields.includes(field)));
}

export const collStats: Command = {
  name: 'collStats',
  aliases: ['collstats'],
  kind: 'read',
  fields: ['scale', 'verbose'],
  run(request, { catalog }) {
    const name = collectionName(request);
    const scale = countArgument(request.body, 'collStats', 'scale') || 1;
    const ns = `${request.database}.${name}`;
    const collection = catalog.collection(request.database, name);
    const { count = 0, size = 0, indexes = [] } = collection ?? {};
    const sizes = indexes.map(
      (index) => [index.definition.name, Math.floor(index.estimateSize() / scale)] as const,
    );
    return {
      ns,
      size: Math.floor(size / scale),
      count,
      ...(count > 0 ? { avgObjSize: Math.floor(size / count) } : {}),
      storageSize: Math.floor(size / scale),
      capped: false,
      nindexes: indexes.length,
      indexSizes: Object.fromEntries(sizes),
      totalIndexSize: sizes.reduce((sum, [, bytes]) => sum + bytes, 0),
      scaleFactor: scale,
      ok: 1,
    };
  },
};
