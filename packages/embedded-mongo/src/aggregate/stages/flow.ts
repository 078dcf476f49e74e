import { Int32, Long } from 'bson';
import { display } from '../../bson/display.js';
import { approximateSize } from '../../bson/size.js';
import { isNumber, type Doc, type Value } from '../../bson/values.js';
import { MongoError } from '../../errors.js';
import { compileQuery } from '../../query/compile.js';
import { exactInteger } from '../../query/numbers.js';
import { compileSort } from '../../sort.js';
import { Top } from '../../top.js';
import { MAX_STAGE_BYTES, MemoryBudget, sortTooLarge } from '../memory-budget.js';
import type { RunStage, StageContext } from '../stage.js';

export function match(spec: Value, context: StageContext): RunStage {
  if (!(spec instanceof Map))
    throw new MongoError(15959, 'the match filter must be an expression in an object');
  const { now, variables, text } = context.environment;
  const query = compileQuery(spec, { now, ...(variables ? { variables } : {}), ...(text ? { text } : {}) });
  return function* run(source) {
    for (const doc of source) if (query.matches(doc)) yield doc;
  };
}

/** Sorts in memory, keeping what a `$limit` after it wants; documents that compare equal keep their order. */
export function sort(spec: Value, context: StageContext): RunStage {
  if (!(spec instanceof Map)) throw new MongoError(15973, 'the $sort key specification must be an object');
  if (spec.size === 0) throw new MongoError(15976, '$sort stage must have at least one sort key');
  const { text, memoryLimit: maxBytes = MAX_STAGE_BYTES } = context.environment;
  const order = compileSort(spec, text);
  return function* run(source) {
    const top = new Top<Doc>({
      wanted: context.wanted,
      order,
      size: approximateSize,
      maxBytes,
      tooLarge: () => sortTooLarge(maxBytes),
    });
    for (const doc of source) {
      order.enter(doc);
      top.add(doc);
    }
    yield* top.sorted();
  };
}

export function limit(spec: Value): RunStage {
  const count = stageNumber('$limit', spec, 5107201);
  if (count === 0) throw new MongoError(15958, 'the limit must be positive');
  return function* run(source) {
    let left = count;
    for (const doc of source) {
      yield doc;
      if (--left === 0) return;
    }
  };
}

export function skip(spec: Value): RunStage {
  const count = stageNumber('$skip', spec, 5107200);
  return function* run(source) {
    let left = count;
    for (const doc of source) {
      if (left > 0) left--;
      else yield doc;
    }
  };
}

function stageNumber(name: string, spec: Value, code: number): number {
  const number = exactInteger(spec);
  if (number === undefined || number < 0n) {
    const kind = !isNumber(spec) ? 'a number' : number === undefined ? 'an integer' : 'a non-negative number';
    throw new MongoError(
      code,
      `invalid argument to ${name} stage: Expected ${kind} in: ${name}: ${display(spec)}`,
    );
  }
  return Number(number);
}

/** Nothing comes out where nothing comes in. */
export function countDocs(spec: Value): RunStage {
  if (typeof spec !== 'string') throw new MongoError(40156, 'the count field must be a non-empty string');
  if (spec === '') throw new MongoError(40157, 'the count field must be a non-empty string');
  if (spec.startsWith('$')) throw new MongoError(40158, 'the count field cannot be a $-prefixed path');
  if (spec.includes('\0')) throw new MongoError(40159, 'the count field cannot contain a null byte');
  if (spec.includes('.')) throw new MongoError(40160, "the count field cannot contain '.'");
  return function* run(source) {
    let total = 0;
    const docs = source[Symbol.iterator]();
    while (docs.next().done !== true) total++;
    if (total > 0) yield new Map([[spec, countValue(total)]]);
  };
}

function countValue(total: number): Value {
  return total <= 0x7fffffff ? new Int32(total) : Long.fromNumber(total);
}

/** `$sortByCount: expr` is a `$group` by it and a `$sort` by the counts. */
export function sortByCount(spec: Value, context: StageContext): RunStage {
  if (spec instanceof Map && spec.keys().next().value?.startsWith('$') !== true)
    throw new MongoError(
      40147,
      `the sortByCount field must be defined as a $-prefixed path or an expression`,
    );
  if (!(spec instanceof Map) && typeof spec !== 'string')
    throw new MongoError(40149, 'the sortByCount field must be specified as a string or as an object');
  const isOperator = spec instanceof Map && spec.keys().next().value?.startsWith('$') === true;
  const isPath = typeof spec === 'string' && spec.startsWith('$');
  if (!isOperator && !isPath) {
    throw new MongoError(
      40148,
      'the sortByCount field must be defined as a $-prefixed path or an expression inside an object',
    );
  }
  const one: Doc = new Map([['$sum', new Int32(1)]]);
  return context.compileStages([
    new Map([
      [
        '$group',
        new Map<string, Value>([
          ['_id', spec],
          ['count', one],
        ]),
      ],
    ]),
    new Map([['$sort', new Map([['count', new Int32(-1)]])]]),
  ]);
}

/** `$sample: { size }`: so many documents at random, each at most once. */
export function sample(spec: Value, context: StageContext): RunStage {
  if (!(spec instanceof Map))
    throw new MongoError(28745, 'the $sample stage specification must be an object');
  for (const name of spec.keys())
    if (name !== 'size') throw new MongoError(28748, `unrecognized option to $sample: ${name}`);
  if (!spec.has('size')) throw new MongoError(28749, '$sample stage must specify a size');
  const size = exactInteger(spec.get('size'));
  if (size === undefined) throw new MongoError(28746, 'size argument to $sample must be a number');
  if (size <= 0n) throw new MongoError(28747, 'size argument to $sample must be a positive integer');
  return function* run(source) {
    const budget = new MemoryBudget('$sample', context.environment.memoryLimit);
    yield* shuffled(reservoir(source, Number(size), budget));
  };
}

/** So many of the documents, each with the same chance, without holding the others. */
function reservoir(source: Iterable<Doc>, size: number, budget: MemoryBudget): Doc[] {
  const docs: Doc[] = [];
  let seen = 0;
  for (const doc of source) {
    seen++;
    const at = docs.length < size ? docs.length : Math.floor(Math.random() * seen);
    if (at >= size) continue;
    budget.take(approximateSize(doc) - approximateSize(docs[at]));
    docs[at] = doc;
  }
  return docs;
}

function* shuffled(docs: Doc[]): Generator<Doc> {
  for (const [i, displaced] of docs.entries()) {
    const at = i + Math.floor(Math.random() * (docs.length - i));
    const chosen = docs[at] ?? displaced;
    docs[at] = displaced;
    yield chosen;
  }
}
