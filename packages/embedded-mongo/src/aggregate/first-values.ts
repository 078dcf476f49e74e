import { approximateSize } from '../bson/size.js';
import { isNumber, type Value } from '../bson/values.js';
import { MongoError } from '../errors.js';
import { exactInteger } from '../query/numbers.js';
import type { Accumulator } from './accumulators.js';
import { isAbsent, type Maybe, namedArguments, typeText } from './arguments.js';
import { compareMaybe } from './operators/logic.js';
import type { CompileContext, Expr } from './scope.js';

const CODES = { notAnObject: 5787900, unknown: 5787901, missing: { n: 5787906, input: 5787907 } };

const KINDS = ['$firstN', '$lastN', '$maxN', '$minN'] as const;
export type FirstValuesName = (typeof KINDS)[number];

export function isFirstValues(name: string): name is FirstValuesName {
  return KINDS.some((kind) => kind === name);
}

/** The `{ input, n }` of `$firstN` and its kin. */
export function parseFirstValues(
  name: string,
  operand: Value,
  context: Pick<CompileContext, 'compile'>,
): { input: Expr; n: Expr } {
  const fields = namedArguments(name, operand, CODES, ['n', 'input']);
  return { input: context.compile(fields.get('input') ?? null), n: context.compile(fields.get('n') ?? null) };
}

/** How many values are wanted. Throws 5787902, 5787903 and 5787908 for what is no positive integer. */
export function countOf(n: Maybe): number {
  if (!isNumber(n))
    throw new MongoError(5787902, `Value for 'n' must be of integral type, but found ${typeText(n)}`);
  const count = exactInteger(n);
  if (count === undefined) throw new MongoError(5787903, "Value for 'n' must be of integral type");
  if (count <= 0n) throw new MongoError(5787908, `'n' must be greater than 0, found ${count}`);
  return Number(count);
}

/** The first or last `n` values, or the `n` greatest or smallest, which leave null and missing out. */
export class FirstValues implements Accumulator {
  /** What the values held take, roughly. */
  bytes = 0;
  private values: Value[] = [];

  constructor(
    private readonly name: FirstValuesName,
    private readonly n: number,
  ) {}

  add(value: Maybe): void {
    const isRanked = this.name === '$maxN' || this.name === '$minN';
    if (isRanked && isAbsent(value)) return;
    if (this.name === '$firstN' && this.values.length >= this.n) return;
    this.values.push(value ?? null);
    this.bytes += approximateSize(value ?? null);
    if (this.name === '$firstN' || this.values.length < 2 * this.n + 64) return;
    this.values = this.result();
    this.bytes = this.values.reduce<number>((sum, kept) => sum + approximateSize(kept), 0);
  }

  result(): Value[] {
    const { name, n, values } = this;
    if (name === '$firstN') return values;
    if (name === '$lastN') return values.slice(-n);
    const sign = name === '$minN' ? 1 : -1;
    return values.toSorted((a, b) => sign * compareMaybe(a, b)).slice(0, n);
  }
}
