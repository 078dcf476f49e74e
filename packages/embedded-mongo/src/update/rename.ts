import { display } from '../bson/display.js';
import type { Doc, Value } from '../bson/values.js';
import { identicalValues } from '../bson/identical.js';
import { badValue, ErrorCode, MongoError } from '../errors.js';
import { arrayIndex, parsePath, type Path, valueAt } from '../path.js';
import { idText } from './leaf.js';
import type { UpdateEntry } from './tree.js';
import { checkedUpdatePath, isArrayFilterPart } from './update-path.js';

/** A rename as two changes: the source goes, the target is set to what the source was before the update. */
export function renameEntries(from: string, operand: Value): UpdateEntry[] {
  if (typeof operand !== 'string') {
    throw badValue(`The 'to' field for $rename must be a string: ${from}: ${display(operand)}`);
  }
  const source = checkedUpdatePath(from);
  const target = checkedUpdatePath(operand);
  refuseDynamic('source', source, from);
  refuseDynamic('destination', target, operand);
  if (from === operand) {
    throw badValue(`The source and target field for $rename must differ: ${from}: ${display(operand)}`);
  }
  if (from.startsWith(`${operand}.`) || operand.startsWith(`${from}.`)) {
    throw badValue(
      `The source and target field for $rename must not be on the same path: ${from}: ${display(operand)}`,
    );
  }
  const sourcePath = parsePath(from);
  const targetPath = parsePath(operand);
  return [
    {
      parts: target,
      op: {
        blocked: 'create',
        isIdle: (root) => valueAt(root, sourcePath) === undefined,
        apply: (current, { root }) => {
          const moved = valueAt(root, sourcePath) ?? null;
          refuseArrayElement(root, targetPath, 'destination');
          return current !== undefined && identicalValues(current, moved) ? current : moved;
        },
      },
    },
    {
      parts: source,
      op: {
        blocked: 'ignore',
        apply: () => undefined,
      },
    },
  ];
}

function refuseDynamic(role: string, parts: readonly string[], path: string): void {
  if (parts.some((part) => part === '$' || isArrayFilterPart(part))) {
    throw badValue(`The ${role} field for $rename may not be dynamic: ${path}`);
  }
}

/**
 * A source that does not exist is no error, but throws PathNotViable (28) where a scalar, or an array without an index,
 * is in its way, and BadValue (2) where it lies within an array: elements cannot be renamed.
 */
export function checkRenameSource(root: Doc, path: Path): void {
  let current: Value = root;
  for (const [i, part] of path.parts.entries()) {
    if (!(current instanceof Map) && !(Array.isArray(current) && arrayIndex(part) >= 0)) {
      const element = `{${path.parts[i - 1] ?? ''}: ${display(current)}}`;
      throw new MongoError(
        ErrorCode.PathNotViable,
        `cannot use the part (${part} of ${path.text}) to traverse the element (${element})`,
      );
    }
    const child: Value | undefined = childOf(current, part);
    if (child === undefined) return;
    current = child;
  }
  refuseArrayElement(root, path, 'source');
}

function refuseArrayElement(root: Doc, path: Path, role: 'source' | 'destination'): void {
  let current: Value | undefined = root;
  for (const [i, part] of path.parts.entries()) {
    if (Array.isArray(current)) {
      throw badValue(
        `The ${role} field cannot be an array element, '${path.text}' in doc with ${idText(root).slice(1, -1).trim()} has an array field called '${path.parts[i - 1] ?? ''}'`,
      );
    }
    current = childOf(current, part);
  }
}

function childOf(value: Value | undefined, part: string): Value | undefined {
  if (value instanceof Map) return value.get(part);
  return Array.isArray(value) ? value[arrayIndex(part)] : undefined;
}
