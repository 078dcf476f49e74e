import { fromPlain } from '../src/bson/encode.js';
import { compileUpdate } from '../src/update/compile.js';
import { doc, errorOf, type Plain, typed, typedOf } from './support/plain.js';
import { pick, type Random, randomSource } from './support/random-values.js';

/** What the model answers where MongoDB refuses the update. */
class Refused extends Error {}

type Json = number | string | null | Json[] | { [key: string]: Json };
type Change = (before: Json | undefined, operand: Json) => Json | undefined;

const sameJson = (a: Json, b: Json) => JSON.stringify(a) === JSON.stringify(b);

function list(before: Json | undefined): Json[] {
  if (before === undefined) return [];
  if (Array.isArray(before)) return before;
  throw new Refused();
}

function rank(v: Json): number {
  if (v === null) return 0;
  if (typeof v === 'number') return 1;
  if (typeof v === 'string') return 2;
  return Array.isArray(v) ? 4 : 3;
}

function isLess(a: Json, b: Json): boolean {
  if (rank(a) !== rank(b)) return rank(a) < rank(b);
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  return typeof a === 'string' && typeof b === 'string' && a < b;
}

/** The operators once more, written as plainly as possible over JSON. */
const model: Record<string, Change> = {
  $set: (_before, operand) => operand,
  $unset: () => undefined,
  $inc: (before, operand) => {
    if (before === undefined) return operand;
    if (typeof before !== 'number') throw new Refused();
    return before + Number(operand);
  },
  $min: (before, operand) => (before === undefined || isLess(operand, before) ? operand : before),
  $max: (before, operand) => (before === undefined || isLess(before, operand) ? operand : before),
  $push: (before, operand) => [...list(before), operand],
  $addToSet: (before, operand) =>
    list(before).some((v) => sameJson(v, operand)) ? list(before) : [...list(before), operand],
  $pull: (before, operand) =>
    before === undefined ? undefined : list(before).filter((v) => !sameJson(v, operand)),
  $pop: (before, operand) => {
    if (before === undefined) return undefined;
    return Number(operand) > 0 ? list(before).slice(0, -1) : list(before).slice(1);
  },
};

const CREATING = new Set(['$set', '$inc', '$min', '$max', '$push', '$addToSet']);

function changed(target: Json | undefined, parts: string[], op: string, operand: Json): Json | undefined {
  const [part = '', ...rest] = parts;
  if (parts.length === 0) return model[op]?.(target, operand);
  if (target === undefined) {
    const child = changed(undefined, rest, op, operand);
    return child === undefined ? undefined : { [part]: child };
  }
  if (Array.isArray(target)) return changedElement(target, part, rest, op, operand);
  if (target === null || typeof target !== 'object') return blocked(target, op);
  const child = changed(target[part], rest, op, operand);
  const result = { ...target };
  if (child === undefined) delete result[part];
  else result[part] = child;
  return result;
}

function changedElement(target: Json[], part: string, rest: string[], op: string, operand: Json): Json {
  if (!/^\d$/.test(part)) return blocked(target, op);
  const index = Number(part);
  const child = changed(target[index], rest, op, operand);
  if (child === undefined && index >= target.length) return target;
  const result = [...target];
  while (result.length < index) result.push(null);
  result[index] = child ?? null;
  return result;
}

function blocked(target: Json, op: string): Json {
  if (CREATING.has(op) || op === '$pop') throw new Refused();
  return target;
}

function randomOperand(random: Random, op: string): Json {
  if (op === '$inc') return Math.floor(random() * 9) - 4;
  if (op === '$pop') return random() < 0.5 ? 1 : -1;
  const scalars: readonly [Json, ...Json[]] = [0, 1, 2, -1, 'x', 'y', null];
  const kind = random();
  // The model does not compare two lists or two documents.
  if (kind < 0.75 || op === '$min' || op === '$max') return pick(random, scalars);
  // As operand of $pull a document would be a condition, so it only gets scalars and lists.
  if (kind < 0.88 || op === '$pull') return [pick(random, scalars), pick(random, scalars)];
  return { b: pick(random, scalars) };
}

function randomUpdate(random: Random): { op: string; path: string; operand: Json }[] {
  const ops = [
    '$set',
    '$set',
    '$unset',
    '$inc',
    '$min',
    '$max',
    '$push',
    '$push',
    '$addToSet',
    '$pull',
    '$pop',
  ] as const;
  const fields = ['a', 'b', 'c'].filter(() => random() < 0.5);
  return fields.map((field) => {
    const op = pick(random, ops);
    const below = pick(random, ['', '', '', '.b', '.0', '.1', '.b.c', '.3']);
    return { op, path: field + below, operand: randomOperand(random, op) };
  });
}

function expectedAfter(
  before: Plain,
  steps: readonly { op: string; path: string; operand: Json }[],
): Json | undefined | Refused {
  try {
    let result: Json | undefined = before as Json;
    for (const { op, path, operand } of steps) result = changed(result, path.split('.'), op, operand);
    return result;
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}

describe('random sequences of updates', () => {
  it('agree with a simple model, and never change their input', () => {
    const random = randomSource();
    for (let sequence = 0; sequence < 300; sequence++) {
      let current: Plain = { _id: sequence };
      for (let step = 0; step < 20; step++) {
        const steps = randomUpdate(random);
        const update: Record<string, Plain> = {};
        for (const { op, path, operand } of steps) update[op] = { ...update[op], [path]: operand };
        if (steps.length === 0) continue;
        const input = doc(current);
        const expected = expectedAfter(current, steps);
        const context = `${JSON.stringify(current)} ${JSON.stringify(update)}`;
        let result = input;
        const error = errorOf(() => {
          result = compileUpdate(fromPlain(update)).apply(input, { isInsert: false, now: new Date(0) });
        });
        expect([context, typed(input)]).toEqual([context, typedOf(current)]);
        expect([context, error !== undefined]).toEqual([context, expected instanceof Refused]);
        if (expected instanceof Refused) continue;
        expect([context, typed(result)]).toEqual([context, typedOf(expected)]);
        expect([context, result === input]).toEqual([context, sameTyped(result, input)]);
        current = expected as Plain;
      }
    }
  });
});

function sameTyped(a: Parameters<typeof typed>[0], b: Parameters<typeof typed>[0]): boolean {
  return JSON.stringify(typed(a)) === JSON.stringify(typed(b));
}
