import { Int32 } from 'bson';
import { isDoc, isInt32, isLong, type Doc, type Value } from '../bson/values.js';

interface CountPipeline {
  readonly spec: { readonly filter: Doc; readonly skip?: number; readonly limit?: number };
  /** What the pipeline gives for that many documents. */
  reply(count: number): Doc[];
}

/**
 * Recognises the pipeline that drivers send for countDocuments: `$match`, perhaps `$skip` and `$limit`, and a `$group` of
 * everything that adds up ones. Counting needs no documents where an index tells their number.
 */
export function countPipeline(stages: readonly Value[]): CountPipeline | undefined {
  const rest = [...stages];
  const filter = take(rest, '$match');
  const skip = take(rest, '$skip');
  const limit = take(rest, '$limit');
  const group = take(rest, '$group');
  if (!isDoc(filter) || !isDoc(group) || rest.length > 0) return undefined;
  const [skipped, limited] = [countOf(skip), countOf(limit)];
  if (skipped === undefined || limited === undefined) return undefined;
  const id = group.get('_id');
  const sum = group.get('n');
  if (group.size !== 2 || !isConstant(id) || !isDoc(sum) || sum.size !== 1) return undefined;
  const one = sum.get('$sum');
  if (!isInt32(one) || one.value !== 1) return undefined;
  return {
    spec: { filter, skip: skipped, limit: limited },
    reply: (count) =>
      count === 0
        ? []
        : [
            new Map<string, Value>([
              ['_id', id],
              ['n', new Int32(count)],
            ]),
          ],
  };
}

function take(stages: Value[], name: string): Value | undefined {
  const [first] = stages;
  if (!isDoc(first) || first.size !== 1 || !first.has(name)) return undefined;
  stages.shift();
  return first.get(name);
}

/** 0 for a stage that is not there; undefined for one to leave to the pipeline. */
function countOf(value: Value | undefined): number | undefined {
  if (value === undefined) return 0;
  const number = isInt32(value) ? value.value : isLong(value) ? value.toNumber() : 0;
  return number > 0 ? number : undefined;
}

function isConstant(value: Value | undefined): value is Int32 | null {
  return value === null || isInt32(value);
}
