import type { Value } from '../../bson/values.js';
import { MongoError } from '../../errors.js';
import { isAbsent, namedArguments } from '../arguments.js';
import type { CompileContext, Expr, OperatorTable } from '../scope.js';

const CODES = { notAnObject: 34460, unknown: 34464, missing: 34465 };

interface Zip {
  readonly inputs: readonly Expr[];
  readonly defaults: readonly Expr[];
  readonly longest: boolean;
}

function zip(operand: Value, context: CompileContext): Expr {
  const { inputs, defaults, longest } = parseZip(operand, context);
  return (scope) => {
    const arrays: Value[][] = [];
    for (const input of inputs) {
      const array = input(scope);
      if (isAbsent(array)) return null;
      if (!Array.isArray(array)) throw new MongoError(34468, '$zip found a non-array expression in input');
      arrays.push(array);
    }
    const fill = defaults.map((value) => value(scope) ?? null);
    const lengths = arrays.map((array) => array.length);
    const length = longest ? Math.max(...lengths) : Math.min(...lengths);
    return Array.from({ length }, (_, row) => arrays.map((array, i) => array[row] ?? fill[i] ?? null));
  };
}

function parseZip(operand: Value, context: CompileContext): Zip {
  const fields = namedArguments('$zip', operand, CODES, ['inputs'], ['defaults', 'useLongestLength']);
  const inputs = listOf(fields.get('inputs') ?? null, 34461, 'inputs', context);
  const longest = fields.get('useLongestLength') ?? false;
  if (typeof longest !== 'boolean') throw new MongoError(34463, 'useLongestLength must be a bool');
  const given = fields.get('defaults');
  const defaults = given === undefined ? [] : listOf(given, 34462, 'defaults', context);
  if (inputs.length === 0) throw new MongoError(34465, '$zip requires at least one input array');
  if (given !== undefined && !longest)
    throw new MongoError(34466, 'cannot specify defaults unless useLongestLength is true');
  if (defaults.length > 0 && defaults.length !== inputs.length)
    throw new MongoError(34467, 'defaults and inputs must have the same length');
  return { inputs, defaults, longest };
}

function listOf(spec: Value, code: number, name: string, context: CompileContext): Expr[] {
  if (!Array.isArray(spec)) throw new MongoError(code, `${name} must be an array of expressions`);
  return spec.map((element) => context.compile(element));
}

export const zipOperators: OperatorTable = { $zip: zip };
