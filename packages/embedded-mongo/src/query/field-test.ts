import type { Doc, Value } from '../bson/values.js';
import { type Path, visitPath } from '../path.js';

/** Collects what the positional operator needs: the index within the array that made the document match. */
export interface Found {
  position?: number;
}

export type ValueTest = (value: Value | undefined, found?: Found) => boolean;
export type DocTest = (doc: Doc, found?: Found) => boolean;

/**
 * What a query asks of one field, before it is bound to a path. `expand`: an array in the field is tested by its
 * elements first and then as a whole.
 */
export type FieldTest =
  | { readonly kind: 'leaf'; readonly expand: boolean; readonly test: ValueTest }
  | { readonly kind: 'and'; readonly tests: readonly FieldTest[] }
  | { readonly kind: 'not'; readonly test: FieldTest };

export function leaf(test: ValueTest, expand = true): FieldTest {
  return { kind: 'leaf', expand, test };
}

export function allOf(tests: readonly FieldTest[]): FieldTest {
  const [only] = tests;
  return only !== undefined && tests.length === 1 ? only : { kind: 'and', tests };
}

export function negated(test: FieldTest): FieldTest {
  return { kind: 'not', test };
}

export function atPath(path: Path, field: FieldTest): DocTest {
  if (field.kind === 'not') {
    const inner = atPath(path, field.test);
    return (doc) => !inner(doc);
  }
  if (field.kind === 'and') return every(field.tests.map((test) => atPath(path, test)));
  const { test, expand } = field;
  const visiting: DocTest = (doc, found) =>
    visitPath(doc, path, expand, (value, position) => {
      if (!test(value, found)) return false;
      if (found && position !== undefined) found.position = position;
      return true;
    });
  return path.parts.length === 1 ? shortcut(path.text, test, visiting) : visiting;
}

/** Most fields are no arrays and at the top level; those need no visit. */
function shortcut(name: string, test: ValueTest, visiting: DocTest): DocTest {
  return (doc, found) => {
    const value = doc.get(name);
    return Array.isArray(value) ? visiting(doc, found) : test(value, found);
  };
}

export function every(tests: readonly DocTest[]): DocTest {
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  return (doc, found) => {
    for (const test of tests) if (!test(doc, found)) return false;
    return true;
  };
}

/** The test for a single array element, as `$elemMatch` with operators applies it: nothing is expanded. */
export function onElement(field: FieldTest): (value: Value) => boolean {
  if (field.kind === 'not') {
    const inner = onElement(field.test);
    return (value) => !inner(value);
  }
  if (field.kind === 'and') {
    const inner = field.tests.map(onElement);
    return (value) => inner.every((test) => test(value));
  }
  return (value) => field.test(value);
}
