import { compareValues } from '../bson/compare.js';
import { isDoc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import type { BtreeIndex } from '../index/btree-index.js';
import { alreadyExists, parseIndexSpec, type IndexDefinition } from '../index/definition.js';
import type { Steps } from '../storage/group-commit.js';
import type { Collection } from '../storage/collection.js';
import { arrayArgument, collectionName, missing, wrongType } from './arguments.js';
import type { Command, CommandContext, CommandRequest } from './command.js';
import { ensureCollection } from './modify.js';
import { listReply } from './namespaces.js';

export const createIndexes: Command = {
  name: 'createIndexes',
  kind: 'write',
  fields: ['indexes', 'commitQuorum', 'ignoreUnknownIndexOptions'],
  *run(request, context) {
    const name = collectionName(request);
    const definitions = readDefinitions(request);
    const existed = context.catalog.collection(request.database, name) !== undefined;
    const collection = ensureCollection(context, request.database, name);
    const before = collection.indexes.length;
    yield* buildAll(collection, definitions, context);
    const after = collection.indexes.length;
    return {
      numIndexesBefore: before,
      numIndexesAfter: after,
      createdCollectionAutomatically: !existed,
      ...(before === after ? { note: 'all indexes already exist' } : {}),
      ok: 1,
    };
  },
};

function readDefinitions(request: CommandRequest): IndexDefinition[] {
  const specs = arrayArgument(request.body, 'createIndexes', 'indexes');
  if (!specs) throw missing('createIndexes', 'indexes');
  if (specs.length === 0)
    throw new MongoError(ErrorCode.BadValue, 'Must specify at least one index to create');
  return specs.map((spec) => {
    if (!isDoc(spec)) throw wrongType('createIndexes', 'indexes', spec, 'object');
    return parseIndexSpec(spec);
  });
}

/** All or none. */
function* buildAll(
  collection: Collection,
  definitions: readonly IndexDefinition[],
  { catalog }: CommandContext,
): Steps<void> {
  const built = new Set<string>();
  const existing = collection.indexes.map((index) => index.definition);
  for (const definition of definitions) if (!alreadyExists(definition, existing)) existing.push(definition);
  try {
    for (const definition of definitions) {
      if (yield* catalog.createIndex(collection, definition)) built.add(definition.name);
    }
  } catch (error) {
    for (const index of collection.indexes) {
      if (built.has(index.definition.name)) catalog.dropIndex(collection, index);
    }
    throw error;
  }
}

export const dropIndexes: Command = {
  name: 'dropIndexes',
  aliases: ['deleteIndexes'],
  kind: 'write',
  fields: ['index'],
  run(request, context) {
    const name = collectionName(request);
    const collection = context.catalog.collection(request.database, name);
    if (!collection) {
      throw new MongoError(ErrorCode.NamespaceNotFound, `ns not found ${request.database}.${name}`);
    }
    const nIndexesWas = collection.indexes.length;
    for (const index of chosenIndexes(collection, request.body.get('index')))
      context.catalog.dropIndex(collection, index);
    return { nIndexesWas, ok: 1 };
  },
};

function chosenIndexes(collection: Collection, choice: Value | undefined): BtreeIndex[] {
  if (choice === '*') return collection.indexes.slice(1);
  if (Array.isArray(choice)) return choice.flatMap((one) => chosenIndexes(collection, one));
  if (typeof choice !== 'string' && !isDoc(choice)) throw wrongType('dropIndexes', 'index', choice, 'string');
  const index = collection.indexes.find(({ definition }) =>
    isDoc(choice) ? compareValues(definition.key, choice) === 0 : definition.name === choice,
  );
  if (!index) {
    throw new MongoError(
      ErrorCode.IndexNotFound,
      isDoc(choice) ? "can't find index with that key" : `index not found with name [${choice}]`,
    );
  }
  if (index === collection.idIndex) throw new MongoError(ErrorCode.InvalidOptions, 'cannot drop _id index');
  return [index];
}

export const listIndexes: Command = {
  name: 'listIndexes',
  kind: 'read',
  fields: ['cursor', 'includeBuildUUIDs', 'includeIndexBuildInfo'],
  run(request, context) {
    const name = collectionName(request);
    const namespace = `${request.database}.${name}`;
    const collection = context.catalog.collection(request.database, name);
    if (!collection) throw new MongoError(ErrorCode.NamespaceNotFound, `ns does not exist: ${namespace}`);
    const ready = collection.indexes.filter(({ building }) => !building);
    const specs = ready.map((index) => index.definition.spec);
    return listReply(request, context, namespace, specs);
  },
};
