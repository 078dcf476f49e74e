import type { Doc, Value } from '../bson/values.js';
import { badValue, ErrorCode, MongoError } from '../errors.js';
import { parsePath } from '../path.js';
import { atPath, type DocTest, every, type Found } from './field-test.js';
import { parseField } from './field.js';
import { exprTest } from './expr.js';

export interface Query {
  matches(doc: Doc): boolean;
  /** Index of the array element that made the document match, for the positional `$`; undefined when there is none. */
  matchPosition(doc: Doc): number | undefined;
  readonly filter: Doc;
}

export interface QueryContext {
  /** What `$$NOW` is in `$expr`; by default the time of compilation. */
  readonly now?: Date;
  /** Variables of the command's `let`, for `$expr`. */
  readonly variables?: Doc;
}

/** Throws BadValue (2) and other codes of MongoDB for a filter that is not well formed or not supported. */
export function compileQuery(filter: Doc, context: QueryContext = {}): Query {
  const test = compileFilter(filter, context);
  return {
    filter,
    matches: (doc) => test(doc),
    matchPosition: (doc) => {
      const found: Found = {};
      return test(doc, found) ? found.position : undefined;
    },
  };
}

function compileFilter(filter: Doc, context: QueryContext): DocTest {
  const tests: DocTest[] = [];
  for (const [key, operand] of filter) {
    if (key.startsWith('$')) tests.push(parseTopLevel(key, operand, context));
    else
      tests.push(
        atPath(
          parsePath(key),
          parseField(key, operand, (inner) => compileFilter(inner, context)),
        ),
      );
  }
  return tests.length === 0 ? () => true : every(tests);
}

function parseTopLevel(key: string, operand: Value, context: QueryContext): DocTest {
  switch (key) {
    case '$and':
      return every(parseBranches(key, operand, context));
    case '$or': {
      const branches = parseBranches(key, operand, context);
      return (doc) => branches.some((test) => test(doc));
    }
    case '$nor': {
      const branches = parseBranches(key, operand, context);
      return (doc) => !branches.some((test) => test(doc));
    }
    case '$expr':
      return exprTest(operand, context);
    case '$comment':
    case '$alwaysTrue':
      return () => true;
    case '$alwaysFalse':
      return () => false;
    case '$where':
    case '$text':
    case '$jsonSchema':
    case '$sampleRate':
      throw new MongoError(ErrorCode.NotImplemented, `${key} is not supported`);
    default:
      throw badValue(
        `unknown top level operator: ${key}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`,
      );
  }
}

function parseBranches(key: string, operand: Value, context: QueryContext): DocTest[] {
  if (!Array.isArray(operand)) throw badValue(`${key} argument must be an array`);
  if (operand.length === 0) throw badValue('$and/$or/$nor must be a nonempty array');
  return operand.map((branch) => {
    if (!(branch instanceof Map)) throw badValue('$or/$and/$nor entries need to be full objects');
    return compileFilter(branch, context);
  });
}
