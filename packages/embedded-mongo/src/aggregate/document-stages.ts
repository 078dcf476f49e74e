import { display } from '../bson/display.js';
import { type Doc, typeName, type Value } from '../bson/values.js';
import { MongoError } from '../errors.js';
import { applyProjection, compute } from '../projection-apply.js';
import { type Branch, parseProjection } from '../projection-parse.js';
import { compileExpression } from './expression.js';
import { checkedFieldPath } from './field-path.js';
import type { Scope } from './scope.js';

/** A stage that makes one document of one document. */
export type DocumentStage = (doc: Doc, scope: Scope) => Doc;
type Parser = (name: string, spec: Value, variables: readonly string[]) => DocumentStage;

/** The stages that look at one document at a time; pipelines in updates may use these only. */
export const documentStages: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ['$project', project],
  ['$addFields', addFields],
  ['$set', addFields],
  ['$unset', unset],
  ['$replaceRoot', replaceRoot],
  ['$replaceWith', (_name, spec, variables) => replaceWith(spec, variables)],
]);

function invalid(name: string, error: unknown): unknown {
  if (!(error instanceof MongoError)) return error;
  return new MongoError(error.code, `Invalid ${name} :: caused by :: ${error.message}`, error.extra);
}

function project(name: string, spec: Value, variables: readonly string[]): DocumentStage {
  if (!(spec instanceof Map)) throw new MongoError(15969, '$project specification must be an object');
  if (spec.size === 0) {
    throw new MongoError(
      51272,
      'Invalid $project :: caused by :: projection specification must have at least one field',
    );
  }
  try {
    const projection = parseProjection(spec, { positional: false, variables });
    return (doc, scope) => applyProjection(projection, doc, scope);
  } catch (error) {
    throw invalid(name, error);
  }
}

function addFields(name: string, spec: Value, variables: readonly string[]): DocumentStage {
  if (!(spec instanceof Map)) {
    throw new MongoError(40272, `${name} specification stage must be an object, got ${typeName(spec)}`);
  }
  if (spec.size === 0) {
    throw new MongoError(40177, `Invalid ${name} :: caused by :: specification must have at least one field`);
  }
  const root: Branch = { kind: 'branch', children: new Map() };
  try {
    for (const [path, value] of spec) addComputed(root, checkedFieldPath(path), value, variables);
  } catch (error) {
    throw invalid(name, error);
  }
  return (doc, scope) => {
    const result = new Map(doc);
    compute(result, root, scope);
    return result;
  };
}

function addComputed(
  root: Branch,
  parts: readonly string[],
  value: Value,
  variables: readonly string[],
): void {
  if (value instanceof Map) {
    const first = value.keys().next().value;
    if (first === undefined) {
      throw new MongoError(
        40180,
        `an empty object is not a valid value. Found empty object at path ${parts.join('.')}`,
      );
    }
    if (!first.startsWith('$')) {
      for (const [name, inner] of value)
        addComputed(root, [...parts, ...checkedFieldPath(name)], inner, variables);
      return;
    }
  }
  let branch = root;
  for (const [i, part] of parts.slice(0, -1).entries()) {
    const child = branch.children.get(part) ?? { kind: 'branch', children: new Map() };
    if (child.kind !== 'branch') throw pathCollision(parts, parts.slice(i + 1));
    branch.children.set(part, child);
    branch = child;
  }
  const last = parts.at(-1) ?? '';
  if (branch.children.has(last))
    throw new MongoError(
      40176,
      `specification contains two conflicting paths. Cannot specify both '${parts.join('.')}' and itself or a path below`,
    );
  branch.children.set(last, { kind: 'computed', expr: compileExpression(value, variables) });
}

function pathCollision(parts: readonly string[], rest: readonly string[]): MongoError {
  return new MongoError(
    40176,
    `specification contains two conflicting paths. Cannot specify both '${parts.join('.')}' and '${parts.slice(0, parts.length - rest.length).join('.')}'`,
  );
}

function unset(_name: string, spec: Value): DocumentStage {
  const paths = Array.isArray(spec) ? spec : [spec];
  if (paths.length === 0) {
    throw new MongoError(31119, '$unset specification must be a string or an array with at least one field');
  }
  const exclusion: Doc = new Map();
  for (const path of paths) {
    if (typeof path !== 'string') {
      const code = Array.isArray(spec) ? 31120 : 31002;
      throw new MongoError(
        code,
        '$unset specification must be a string or an array containing only string values',
      );
    }
    exclusion.set(path, false);
  }
  try {
    const projection = parseProjection(exclusion, { positional: false });
    return (doc, scope) => applyProjection(projection, doc, scope);
  } catch (error) {
    throw invalid('$unset', error);
  }
}

function replaceRoot(_name: string, spec: Value, variables: readonly string[]): DocumentStage {
  if (!(spec instanceof Map)) {
    throw new MongoError(
      40229,
      `expected an object as specification for $replaceRoot stage, got ${typeName(spec)}`,
    );
  }
  for (const name of spec.keys()) {
    if (name !== 'newRoot') {
      throw new MongoError(40415, `BSON field '$replaceRoot.${name}' is an unknown field.`);
    }
  }
  const newRoot = spec.get('newRoot');
  if (newRoot === undefined)
    throw new MongoError(40414, `BSON field '$replaceRoot.newRoot' is missing but a required field`);
  return replaceWith(newRoot, variables);
}

function replaceWith(spec: Value, variables: readonly string[]): DocumentStage {
  const newRoot = compileExpression(spec, variables);
  return (_doc, scope) => {
    const value = newRoot(scope);
    if (value instanceof Map) return value;
    throw new MongoError(
      40228,
      `'replacement document' must evaluate to an object, but resulting value was: ${value === undefined ? 'MISSING' : display(value)}. Type of resulting value: '${value === undefined ? 'missing' : typeName(value)}'.`,
    );
  };
}
