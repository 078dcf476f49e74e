import { isDoc, type Doc, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import { mentions } from '../query/collation.js';
import { compileQuery, type Query } from '../query/compile.js';
import type { Collection } from '../storage/collection.js';
import { wrongType } from './arguments.js';

export const VALIDATION_OPTIONS = ['validator', 'validationLevel', 'validationAction'] as const;
const ALLOWED = {
  validationLevel: ['off', 'strict', 'moderate'],
  validationAction: ['error', 'warn'],
} as const;
const EXPRESSIONS: ReadonlySet<string> = new Set(['$expr']);
const compiled = new WeakMap<Doc, Query>();

function validatorOf({ options }: Collection): Query | undefined {
  const spec = options.get('validator');
  if (!isDoc(spec) || spec.size === 0) return undefined;
  const known = compiled.get(spec);
  if (known) return known;
  const query = compileQuery(spec);
  // An expression may ask for the time, which is fixed when it is compiled.
  if (!mentions(spec, EXPRESSIONS)) compiled.set(spec, query);
  return query;
}

/** Throws DocumentValidationFailure (121) for a document that the collection's validator refuses. `before` is what an update changes. */
export function assertValid(collection: Collection, doc: Doc, before?: Doc): void {
  const { options } = collection;
  const level = options.get('validationLevel');
  if (level === 'off' || options.get('validationAction') === 'warn') return;
  const query = validatorOf(collection);
  if (!query || query.matches(doc)) return;
  if (level === 'moderate' && before && !query.matches(before)) return;
  const details: Doc = new Map<string, Value>([
    ['specifiedAs', query.filter],
    ['reason', 'the document does not match'],
  ]);
  throw new MongoError(ErrorCode.DocumentValidationFailure, 'Document failed validation', {
    errInfo: new Map<string, Value>([
      ['failingDocumentId', doc.get('_id') ?? null],
      ['details', details],
    ]),
  });
}

/** Checks what `create` and `collMod` are given. */
export function readValidation(body: Doc): Doc {
  const given: Doc = new Map();
  for (const name of VALIDATION_OPTIONS) {
    const value = body.get(name);
    if (value === undefined) continue;
    if (name === 'validator') {
      if (!isDoc(value)) throw wrongType('create', 'validator', value, 'object');
      compileQuery(value);
    } else if (!ALLOWED[name].some((allowed) => allowed === value)) {
      throw new MongoError(ErrorCode.BadValue, `Enumeration value for field '${name}' is not a valid value.`);
    }
    given.set(name, value);
  }
  return given;
}
