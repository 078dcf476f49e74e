import { ErrorCode, MongoError } from '../errors.js';
import { collectionName } from './arguments.js';
import type { Command } from './command.js';
import { notSupported } from './find.js';
import { readValidation, VALIDATION_OPTIONS } from './validation.js';

const UNSUPPORTED = [
  'index',
  'viewOn',
  'pipeline',
  'expireAfterSeconds',
  'timeseries',
  'changeStreamPreAndPostImages',
  'cappedSize',
  'cappedMax',
  'dryRun',
];

/** Changes a collection's validator. */
export const collMod: Command = {
  name: 'collMod',
  kind: 'write',
  fields: [...VALIDATION_OPTIONS, ...UNSUPPORTED],
  run(request, { catalog }) {
    const name = collectionName(request);
    const option = UNSUPPORTED.find((field) => request.body.has(field));
    if (option !== undefined) throw notSupported(`collMod's option '${option}'`);
    const collection = catalog.collection(request.database, name);
    if (!collection)
      throw new MongoError(ErrorCode.NamespaceNotFound, `ns does not exist: ${request.database}.${name}`);
    for (const [field, value] of readValidation(request.body)) collection.options.set(field, value);
    catalog.descriptionChanged(collection);
    return { ok: 1 };
  },
};
