import { compareValues } from './compare.js';
import { bsonType, type Doc, isDecimal, isDouble, type Value } from './values.js';

/** The same bytes on disk: type, value and field order; -0 differs from 0, and Long 1 from Int32 1. */
export function identicalValues(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (bsonType(a) !== bsonType(b)) return false;
  if (a instanceof Map && b instanceof Map) return identicalDocs(a, b);
  if (Array.isArray(a) && Array.isArray(b)) return identicalArrays(a, b);
  if (isDouble(a) && isDouble(b)) return Object.is(a.value, b.value);
  if (isDecimal(a) && isDecimal(b)) return Buffer.compare(a.bytes, b.bytes) === 0;
  return compareValues(a, b) === 0;
}

function identicalDocs(a: Doc, b: Doc): boolean {
  if (a.size !== b.size) return false;
  const right = b.entries();
  for (const [key, value] of a) {
    const next = right.next();
    if (next.done === true || next.value[0] !== key || !identicalValues(value, next.value[1])) return false;
  }
  return true;
}

function identicalArrays(a: readonly Value[], b: readonly Value[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((value, i) => {
    const other = b[i];
    return other !== undefined && identicalValues(value, other);
  });
}
