import type { Value } from '../bson/values.js';
import { MongoError } from '../errors.js';
import { parseCollation } from '../query/collation.js';
import { collectionName, countArgument, docArgument, integerArgument, stringArgument } from './arguments.js';
import type { Command } from './command.js';
import { Finder } from './find-documents.js';
import { hintArgument } from './find.js';
import { distinctValues } from './distinct-values.js';

export const count: Command = {
  name: 'count',
  kind: 'read',
  fields: ['query', 'limit', 'skip', 'hint', 'collation', 'fields'],
  run(request, context) {
    const { body, database, deadline } = request;
    const name = collectionName(request);
    const text = parseCollation(body.get('collation'));
    const filter = docArgument(body, 'count', 'query') ?? new Map<string, Value>();
    const skip = countArgument(body, 'count', 'skip') ?? 0;
    const limit = Math.abs(integerArgument(body, 'count', 'limit') ?? 0);
    const finder = new Finder(context, { filter, skip, limit, hint: hintArgument(body), deadline, text });
    const collection = context.catalog.collection(database, name);
    if (!collection) return { n: 0, ok: 1 };
    return { n: finder.count(collection), ok: 1 };
  },
};

export const distinct: Command = {
  name: 'distinct',
  kind: 'read',
  fields: ['key', 'query', 'collation'],
  run(request, context) {
    const { body, database, deadline } = request;
    const name = collectionName(request);
    const text = parseCollation(body.get('collation'));
    const path = stringArgument(body, 'distinct', 'key');
    if (path.includes('\0'))
      throw new MongoError(31032, "BSON field 'distinct.key' must not contain null bytes");
    const filter = docArgument(body, 'distinct', 'query') ?? new Map<string, Value>();
    const finder = new Finder(context, { filter, deadline, text });
    const collection = context.catalog.collection(database, name);
    if (!collection) return { values: [], ok: 1 };
    return { values: distinctValues(finder.documents(collection), path, text), ok: 1 };
  },
};
