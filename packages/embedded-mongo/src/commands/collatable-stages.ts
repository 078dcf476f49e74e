import { isDoc, isNumber, type Value } from '../bson/values.js';
import { unsupported } from '../query/collation.js';

/** Stages in which only filters and sorts compare strings, or nothing does. */
const COLLATABLE = new Set(['$match', '$sort', '$limit', '$skip', '$count', '$unset']);

/** Throws NotImplemented (238) for a stage that may compare strings by anything but a filter or a sort. */
export function assertCollatable(stages: readonly Value[]): void {
  for (const stage of stages) {
    const [name = '', spec = null] = isDoc(stage) ? ([...stage][0] ?? []) : [];
    if (COLLATABLE.has(name)) continue;
    if (name === '$project' && isSelection(spec)) continue;
    if (name === '$group' && isCounting(spec)) continue;
    throw unsupported(`the stage ${name}`);
  }
}

/** Fields taken or left out, without an expression. */
function isSelection(spec: Value): boolean {
  return isDoc(spec) && [...spec.values()].every((value) => isNumber(value) || typeof value === 'boolean');
}

/** One group that adds up a constant, as drivers send it to count. */
function isCounting(spec: Value): boolean {
  if (!isDoc(spec)) return false;
  return [...spec].every(([field, value]) => {
    if (field === '_id') return value === null || isNumber(value);
    const sum = isDoc(value) && value.size === 1 ? value.get('$sum') : undefined;
    return sum !== undefined && isNumber(sum);
  });
}
