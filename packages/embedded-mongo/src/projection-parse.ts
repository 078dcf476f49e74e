import { compileExpression } from './aggregate/expression.js';
import { operators } from './aggregate/operator-table.js';
import type { Expr } from './aggregate/scope.js';
import { display } from './bson/display.js';
import { isNumber, type Doc, type Value } from './bson/values.js';
import { badValue, MongoError } from './errors.js';
import { isTrue } from './query/numbers.js';

export type Leaf =
  | { readonly kind: 'include' | 'exclude' }
  | { readonly kind: 'computed'; readonly expr: Expr }
  | { readonly kind: 'slice'; readonly skip: number | undefined; readonly limit: number }
  | { readonly kind: 'elemMatch'; readonly condition: Doc }
  | { readonly kind: 'positional' };

export interface Branch {
  readonly kind: 'branch';
  readonly children: Map<string, Branch | Leaf>;
}

export interface Projection {
  readonly mode: 'inclusion' | 'exclusion';
  readonly root: Branch;
  /** What the specification says about `_id` as a whole. */
  readonly id: 'include' | 'exclude' | undefined;
}

export interface ParseOptions {
  /** What an operator document such as `{ $slice: 2 }` means other than an expression; undefined: an expression. */
  readonly operatorLeaf?: (path: string, operators: Doc) => Leaf | undefined;
  /** Whether `a.$` is the positional projection. */
  readonly positional: boolean;
  readonly variables?: Iterable<string>;
}

/** Throws 31253 and 31254 when inclusion and exclusion are mixed, 31249 and 31250 when paths collide, and others. */
export function parseProjection(spec: Doc, options: ParseOptions): Projection {
  const parser = new ProjectionParser(options);
  for (const [path, value] of spec) parser.add(path, value);
  return parser.result();
}

class ProjectionParser {
  private readonly root: Branch = { kind: 'branch', children: new Map() };
  private mode: Projection['mode'] | undefined;
  private id: Projection['id'];
  private hasElemMatch = false;
  private hasPositional = false;

  constructor(private readonly options: ParseOptions) {}

  result(): Projection {
    const mode = this.mode ?? (this.hasElemMatch || this.id === 'include' ? 'inclusion' : 'exclusion');
    return { mode, root: this.root, id: this.id };
  }

  add(path: string, value: Value): void {
    if (value instanceof Map) {
      this.addDoc(path, value);
    } else if (isNumber(value) || typeof value === 'boolean') {
      this.addFlag(path, isTrue(value));
    } else {
      this.addComputed(path, value);
    }
  }

  private addDoc(path: string, value: Doc): void {
    if (this.options.positional && path.endsWith('.$')) {
      throw new MongoError(31271, 'positional projection cannot be used with an expression or sub object');
    }
    const first = value.keys().next().value;
    if (first === undefined) {
      throw new MongoError(51270, 'An empty sub-projection is not a valid value. Found empty object at path');
    }
    if (!first.startsWith('$')) {
      for (const [name, inner] of value) this.add(`${path}.${name}`, inner);
      return;
    }
    const leaf = this.options.operatorLeaf?.(path, value);
    if (!leaf) {
      if (!Object.hasOwn(operators, first)) throw new MongoError(31325, `Unknown expression ${first}`);
      this.addComputed(path, value);
      return;
    }
    if (leaf.kind === 'elemMatch') {
      this.hasElemMatch = true;
      this.refuseBoth();
    }
    this.insert(path, leaf);
  }

  private addFlag(path: string, included: boolean): void {
    if (this.options.positional && path.endsWith('.$')) {
      this.addPositional(path, included);
      return;
    }
    const kind = included ? 'include' : 'exclude';
    if (path === '_id') {
      if (this.id !== undefined) throw collision(path);
      this.id = kind;
      return;
    }
    this.settle(path, included ? 'inclusion' : 'exclusion');
    this.insert(path, { kind });
  }

  private addPositional(path: string, included: boolean): void {
    if (!included || this.mode === 'exclusion') {
      throw new MongoError(31395, 'positional projection cannot be used with exclusion');
    }
    if (this.hasPositional) {
      throw new MongoError(31276, 'Cannot specify more than one positional projection per query.');
    }
    this.hasPositional = true;
    this.refuseBoth();
    this.settle(path, 'inclusion');
    this.insert(path.slice(0, -2), { kind: 'positional' });
  }

  private refuseBoth(): void {
    if (this.hasPositional && this.hasElemMatch) {
      throw new MongoError(31256, 'Cannot specify positional operator and $elemMatch.');
    }
  }

  private addComputed(path: string, value: Value): void {
    if (this.options.positional && path.endsWith('.$')) {
      throw new MongoError(31308, 'positional projection cannot be used with a literal');
    }
    if (this.mode === 'exclusion') {
      throw new MongoError(
        value instanceof Map ? 31252 : 31310,
        `Cannot use an expression ${path}: ${display(value)} in an exclusion projection`,
      );
    }
    this.mode = 'inclusion';
    this.insert(path, { kind: 'computed', expr: compileExpression(value, this.options.variables) });
  }

  private settle(path: string, mode: Projection['mode']): void {
    this.mode ??= mode;
    if (this.mode === mode) return;
    throw mode === 'inclusion'
      ? new MongoError(31253, `Cannot do inclusion on field ${path} in exclusion projection`)
      : new MongoError(31254, `Cannot do exclusion on field ${path} in inclusion projection`);
  }

  private insert(path: string, leaf: Leaf): void {
    if (!this.options.positional && path.endsWith('.$'))
      throw new MongoError(31324, 'Cannot use positional projection in aggregation projection');
    const parts = checkedParts(path);
    let branch = this.root;
    for (const [i, part] of parts.slice(0, -1).entries()) {
      const child = branch.children.get(part) ?? { kind: 'branch', children: new Map() };
      if (child.kind !== 'branch') {
        const rest = parts.slice(i + 1).join('.');
        throw new MongoError(31249, `Path collision at ${path} remaining portion ${rest}`);
      }
      branch.children.set(part, child);
      branch = child;
    }
    const last = parts.at(-1) ?? '';
    if (branch.children.has(last) || (path === '_id' && this.id !== undefined)) throw collision(path);
    branch.children.set(last, leaf);
  }
}

function collision(path: string): MongoError {
  return new MongoError(31250, `Path collision at ${path}`);
}

function checkedParts(path: string): string[] {
  if (path === '') throw new MongoError(40352, 'FieldPath cannot be constructed with empty string');
  if (path.endsWith('.')) throw new MongoError(40353, "FieldPath must not end with a '.'.");
  const parts = path.split('.');
  for (const part of parts) {
    if (part === '') throw new MongoError(15998, 'FieldPath field names may not be empty strings.');
    if (part === '$') {
      throw new MongoError(
        31394,
        `As of 4.4, it's illegal to specify positional operator in the middle of a path.Positional projection may only be used at the end, for example: a.b.$. If the query previously used a form like a.b.$.d, remove the parts following the '$' and the results will be equivalent.`,
      );
    }
    if (part.startsWith('$')) {
      throw new MongoError(
        16410,
        `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
      );
    }
  }
  return parts;
}

/** The two forms of find's `$slice`: a count, or [skip, count]. */
export function sliceLeaf(operand: Value): Leaf | undefined {
  if (isNumber(operand)) return { kind: 'slice', skip: undefined, limit: sliceInteger(operand) };
  if (!Array.isArray(operand) || operand.length !== 2) return undefined;
  const [skip, limit] = operand;
  if (!isNumber(skip) || !isNumber(limit)) return undefined;
  const count = sliceInteger(limit);
  if (count <= 0)
    throw new MongoError(28724, 'First argument to $slice must be an array, but is of type: int');
  return { kind: 'slice', skip: sliceInteger(skip), limit: count };
}

function sliceInteger(v: Value): number {
  const number = isNumber(v) ? Number(v.toString()) : Number.NaN;
  if (Number.isNaN(number)) throw badValue('$slice must be a number');
  return Math.max(-0x80000000, Math.min(0x7fffffff, Math.trunc(number)));
}
