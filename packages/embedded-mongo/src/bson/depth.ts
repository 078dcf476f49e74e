import { ErrorCode, MongoError } from '../errors.js';
import type { Doc, Value } from './values.js';

/** Levels of nesting that a stored document may have; messages may have 20 more, for what surrounds it. */
const MAX_STORED_DEPTH = 180;

/** Throws Overflow (15) when the document nests deeper than MongoDB stores. */
export function checkStorageDepth(doc: Doc): void {
  if (exceeds(doc, MAX_STORED_DEPTH)) {
    throw new MongoError(
      ErrorCode.Overflow,
      `Document exceeds maximum nested object depth: ${MAX_STORED_DEPTH}`,
    );
  }
}

function exceeds(value: Value, levels: number): boolean {
  if (value instanceof Map) {
    if (levels === 0) return true;
    for (const child of value.values()) if (exceeds(child, levels - 1)) return true;
  } else if (Array.isArray(value)) {
    if (levels === 0) return true;
    for (const child of value) if (exceeds(child, levels - 1)) return true;
  }
  return false;
}
