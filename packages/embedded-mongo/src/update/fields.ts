import { Timestamp } from 'bson';
import { compareValues } from '../bson/compare.js';
import { identicalValues } from '../bson/identical.js';
import { display } from '../bson/display.js';
import { typeName, type Value } from '../bson/values.js';
import { badValue } from '../errors.js';
import type { LeafContext, LeafOp } from './leaf.js';

function keep(current: Value | undefined, next: Value): Value {
  return current !== undefined && identicalValues(current, next) ? current : next;
}

export function set(_path: string, operand: Value): LeafOp {
  return { blocked: 'create', apply: (current) => keep(current, operand) };
}

export function setOnInsert(path: string, operand: Value): LeafOp {
  return { ...set(path, operand), isIdle: (_root, isInsert) => !isInsert };
}

export function unset(): LeafOp {
  return { blocked: 'ignore', apply: () => undefined };
}

export function min(_path: string, operand: Value): LeafOp {
  return {
    blocked: 'create',
    apply: (current) => (current !== undefined && compareValues(operand, current) >= 0 ? current : operand),
  };
}

export function max(_path: string, operand: Value): LeafOp {
  return {
    blocked: 'create',
    apply: (current) => (current !== undefined && compareValues(operand, current) <= 0 ? current : operand),
  };
}

/** `$currentDate: { field: true | { $type: 'date' | 'timestamp' } }`. */
export function currentDate(_path: string, operand: Value): LeafOp {
  const asTimestamp = wantsTimestamp(operand);
  return {
    blocked: 'create',
    apply: (_current, context) => (asTimestamp ? nextTimestamp(context) : context.now),
  };
}

function wantsTimestamp(operand: Value): boolean {
  if (typeof operand === 'boolean') return false;
  if (!(operand instanceof Map)) {
    throw badValue(
      `${typeName(operand)} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).`,
    );
  }
  for (const [name, type] of operand) {
    if (name !== '$type') throw badValue(`Unrecognized $currentDate option: ${name}`);
    if (type === 'date') return false;
    if (type === 'timestamp') return true;
  }
  throw badValue(
    `The '$type' string field is required to be 'date' or 'timestamp': ${display(new Map<string, Value>([['$currentDate', operand]]))}`,
  );
}

let lastSecond = 0;
let ordinal = 0;

/** Seconds since 1970 and an ordinal that sets apart the timestamps of one second. */
function nextTimestamp(context: LeafContext): Timestamp {
  const second = Math.floor(context.now.getTime() / 1000);
  ordinal = second === lastSecond ? ordinal + 1 : 1;
  lastSecond = second;
  return new Timestamp({ t: second, i: ordinal });
}
