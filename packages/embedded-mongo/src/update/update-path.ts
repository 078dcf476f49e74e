import { badValue, ErrorCode, MongoError } from '../errors.js';

const DBREF_FIELDS = new Set(['$ref', '$id', '$db']);

export function isArrayFilterPart(part: string): boolean {
  return part.startsWith('$[') && part.endsWith(']');
}

/** The parts of a path that an update names. Throws EmptyFieldName (56) and BadValue (2). */
export function checkedUpdatePath(path: string): string[] {
  if (path === '') throw new MongoError(ErrorCode.EmptyFieldName, 'An empty update path is not valid.');
  const parts = path.split('.');
  if (parts.includes('')) {
    throw new MongoError(
      ErrorCode.EmptyFieldName,
      `The update path '${path}' contains an empty field name, which is not allowed.`,
    );
  }
  checkPositions(parts, path);
  return parts;
}

/** Fields whose names begin with `$` may be removed, but not made. Throws DollarPrefixedFieldName (52). */
export function checkStorable(parts: readonly string[]): void {
  for (const part of parts) {
    if (!part.startsWith('$') || part === '$' || isArrayFilterPart(part) || DBREF_FIELDS.has(part)) continue;
    throw new MongoError(
      ErrorCode.DollarPrefixedFieldName,
      `The dollar ($) prefixed field '${part}' in '${parts.join('.')}' is not valid for storage.`,
    );
  }
}

function checkPositions(parts: readonly string[], path: string): void {
  const [first = ''] = parts;
  if (first === '$') {
    throw badValue(`Cannot have positional (i.e. '$') element in the first position in path '${path}'`);
  }
  if (isArrayFilterPart(first)) {
    throw badValue(
      `Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '${path}'`,
    );
  }
  if (parts.filter((part) => part === '$').length > 1) {
    throw badValue(`Too many positional (i.e. '$') elements found in path '${path}'`);
  }
}
