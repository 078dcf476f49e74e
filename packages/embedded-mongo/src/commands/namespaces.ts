import type { Doc, Value } from '../bson/values.js';
import { docFromPlain, encodeDoc } from '../bson/encode.js';
import { ErrorCode, MongoError } from '../errors.js';
import { assertSimpleCollation } from '../index/definition.js';
import { compileQuery } from '../query/compile.js';
import type { Collection } from '../storage/collection.js';
import { assertDatabaseName } from '../storage/namespace.js';
import { booleanArgument, collectionName, countArgument, docArgument } from './arguments.js';
import type { Command, CommandContext, CommandRequest } from './command.js';
import { readValidation, VALIDATION_OPTIONS } from './validation.js';
import { firstBatch, notSupported } from './find.js';
import { readViewDefinition } from './view-definition.js';

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
  'encryptedFields',
];

export const create: Command = {
  name: 'create',
  kind: 'write',
  fields: [
    ...UNSUPPORTED_OPTIONS,
    ...VALIDATION_OPTIONS,
    'viewOn',
    'pipeline',
    'collation',
    'autoIndexId',
    'idIndex',
    'flags',
  ],
  run(request, { catalog }) {
    const { database, body } = request;
    const name = collectionName(request);
    assertSimpleCollation(body.get('collation'));
    for (const option of UNSUPPORTED_OPTIONS) {
      const value = body.get(option);
      if (value !== undefined && value !== false) throw notSupported(`the collection option '${option}'`);
    }
    const view = readViewDefinition({ name, database, body }, catalog);
    catalog.create(database, name, view ?? readValidation(body));
    return { ok: 1 };
  },
};

export const drop: Command = {
  name: 'drop',
  kind: 'write',
  fields: [],
  run(request, { catalog }) {
    const name = collectionName(request);
    const collection = catalog.entry(request.database, name);
    if (!collection) return { ok: 1 };
    catalog.drop(collection);
    return {
      ...(collection.isView ? {} : { nIndexesWas: collection.indexes.length }),
      ns: collection.namespace,
      ok: 1,
    };
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

function describeCollection({ name, options, uuid, idIndex, isView }: Collection): Doc {
  if (isView) return docFromPlain({ name, type: 'view', options, info: { readOnly: true } });
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
