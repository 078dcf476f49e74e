import { valuesEqual } from '../bson/compare.js';
import { display } from '../bson/display.js';
import { type Doc, typeName, type Value } from '../bson/values.js';
import { ErrorCode, MongoError } from '../errors.js';
import type { UpdateContext } from './leaf.js';
import { Modification } from './modify.js';
import { compileUpdatePipeline } from './pipeline.js';
import { checkReplacement, replaceDoc } from './replace.js';

export interface Update {
  readonly isReplacement: boolean;
  /**
   * The document after the update; `doc` is never changed, untouched values are shared, and the very same object comes
   * back when nothing changes. Throws MongoDB's errors, among them ImmutableField (66), PathNotViable (28) and
   * TypeMismatch (14).
   */
  apply(doc: Doc, context: UpdateContext): Doc;
}

/**
 * Compiles an update by operators, a replacement document, or a pipeline (array). `variables` are for pipelines.
 * Throws FailedToParse (9), ConflictingUpdateOperators (40), BadValue (2) and others for what is not well formed.
 */
export function compileUpdate(update: Value, arrayFilters: readonly Doc[] = [], variables?: Doc): Update {
  if (Array.isArray(update)) {
    refuseArrayFilters(arrayFilters, 'pipeline-style updates');
    const run = compileUpdatePipeline(update, variables ?? new Map<string, Value>());
    return { isReplacement: false, apply: (doc, context) => replacedBy(doc, run(doc, context.now)) };
  }
  if (!(update instanceof Map)) {
    throw new MongoError(
      ErrorCode.FailedToParse,
      `Update argument must be either an object or an array, not ${typeName(update)}`,
    );
  }
  if (update.keys().next().value?.startsWith('$') === true) {
    const modification = new Modification(update, arrayFilters);
    return { isReplacement: false, apply: (doc, context) => checkId(doc, modification.apply(doc, context)) };
  }
  checkReplacement(update);
  refuseArrayFilters(arrayFilters, 'replacement-style updates');
  return { isReplacement: true, apply: (doc) => replacedBy(doc, update) };
}

function refuseArrayFilters(arrayFilters: readonly Doc[], where: string): void {
  if (arrayFilters.length > 0) {
    throw new MongoError(ErrorCode.FailedToParse, `arrayFilters may not be specified for ${where}`);
  }
}

function replacedBy(doc: Doc, replacement: Doc): Doc {
  const result = replaceDoc(doc, replacement);
  const before = doc.get('_id');
  const after = result.get('_id');
  if (before === undefined || (after !== undefined && valuesEqual(before, after))) return result;
  throw new MongoError(
    ErrorCode.ImmutableField,
    `After applying the update, the (immutable) field '_id' was found to have been altered to _id: ${display(after)}`,
  );
}

function checkId(doc: Doc, result: Doc): Doc {
  const before = doc.get('_id');
  const after = result.get('_id');
  if (before === undefined || before === after) return result;
  if (after !== undefined && valuesEqual(before, after)) return result;
  throw new MongoError(
    ErrorCode.ImmutableField,
    `Performing an update on the path '_id' would modify the immutable field '_id'`,
  );
}
