import { display } from '../bson/display.js';
import type { Doc, Value } from '../bson/values.js';
import { badValue, ErrorCode, MongoError } from '../errors.js';
import { compileQuery } from '../query/compile.js';

export type ElementFilter = (element: Value) => boolean;

/** The update's arrayFilters by identifier. `$[]` and `$[id]` ask it which elements they mean. */
export class ArrayFilters {
  private readonly filters = new Map<string, ElementFilter>();
  private readonly unused = new Map<string, Doc>();

  /** Throws FailedToParse (9) and BadValue (2) for filters without one clear identifier. */
  constructor(specs: readonly Doc[]) {
    for (const spec of specs) {
      const id = identifierOf(spec);
      if (this.filters.has(id)) {
        throw failedToParse(`Found multiple array filters with the same top-level field name ${id}`);
      }
      const query = compileQuery(spec);
      this.filters.set(id, (element) => query.matches(new Map([[id, element]])));
      this.unused.set(id, spec);
    }
  }

  /** Notes that a path uses a part `$[id]`. Throws BadValue (2) for an identifier without filter. */
  use(part: string, path: string): void {
    const id = part.slice(2, -1);
    if (id === '') return;
    if (!this.filters.has(id))
      throw badValue(`No array filter found for identifier '${id}' in path '${path}'`);
    this.unused.delete(id);
  }

  checkAllUsed(update: Value): void {
    const [id] = this.unused.keys();
    if (id === undefined) return;
    throw failedToParse(
      `The array filter for identifier '${id}' was not used in the update ${display(update)}`,
    );
  }

  accepts(part: string, element: Value): boolean {
    return this.filters.get(part.slice(2, -1))?.(element) ?? true;
  }
}

function failedToParse(message: string): MongoError {
  return new MongoError(ErrorCode.FailedToParse, message);
}

function identifierOf(spec: Doc): string {
  const [first, second] = topLevelFields(spec);
  if (first === undefined) {
    throw failedToParse('Cannot use an expression without a top-level field name in arrayFilters');
  }
  if (second !== undefined) {
    throw failedToParse(
      `Error parsing array filter :: caused by :: Expected a single top-level field name, found '${first}' and '${second}'`,
    );
  }
  if (!/^[a-z][a-zA-Z0-9]*$/.test(first)) {
    throw badValue(
      `Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${first}'`,
    );
  }
  return first;
}

function topLevelFields(spec: Doc): Set<string> {
  const names = new Set<string>();
  for (const [key, operand] of spec) {
    if (!key.startsWith('$')) {
      names.add(key.split('.')[0] ?? key);
    } else if (Array.isArray(operand)) {
      for (const branch of operand) {
        if (branch instanceof Map) for (const name of topLevelFields(branch)) names.add(name);
      }
    }
  }
  return names;
}
