import { isNumber, isRegex, type Doc, type Value } from '../bson/values.js';
import { badValue, ErrorCode, MongoError } from '../errors.js';
import { parsePath } from '../path.js';
import { atPath, type DocTest, every, type Found } from './field-test.js';
import { type TextOrder, unsupported } from './collation.js';
import { isOperatorDoc, parseField } from './field.js';
import { exprTest } from './expr.js';
import { exactInteger } from './numbers.js';

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
  /** The command's collation. */
  readonly text?: TextOrder;
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
          parseField(
            key,
            operand,
            Object.assign((inner: Doc) => compileFilter(inner, context), { text: context.text }),
          ),
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
      const [only] = branches;
      if (branches.length === 1 && only) return only;
      const single = singleCondition(operand);
      if (single) return compileFilter(single, context);
      return (doc) => branches.some((test) => test(doc));
    }
    case '$nor': {
      const branches = parseBranches(key, operand, context);
      return (doc) => !branches.some((test) => test(doc));
    }
    case '$expr':
      if (context.text) throw unsupported('$expr');
      return exprTest(operand, context);
    case '$comment':
      return () => true;
    case '$alwaysTrue':
    case '$alwaysFalse':
      return constant(key, operand);
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

/**
 * What an `$or` comes down to when all of its clauses ask one field to equal a value: only then, and when it has one clause, the
 * positional `$` knows the element that matched. The result nests no further, so that no branch is compiled twice.
 */
function singleCondition(branches: Value): Doc | undefined {
  const clauses = Array.isArray(branches) ? branches.filter((branch) => branch instanceof Map) : [];
  const [first] = clauses;
  if (!first) return undefined;
  const [path = ''] = first.keys();
  const values = clauses.map((clause) => {
    const value = clause.size === 1 && !path.startsWith('$') ? clause.get(path) : undefined;
    const equal = value instanceof Map && value.size === 1 ? (value.get('$eq') ?? value) : value;
    return equal === undefined || isOperatorDoc(equal) || isRegex(equal) ? undefined : equal;
  });
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? new Map([[path, new Map([['$in', known]])]]) : undefined;
}

function constant(key: string, operand: Value): DocTest {
  if (!isNumber(operand) || exactInteger(operand) !== 1n) {
    throw new MongoError(ErrorCode.FailedToParse, `${key} must be an integer value of 1`);
  }
  const answer = key === '$alwaysTrue';
  return () => answer;
}

function parseBranches(key: string, operand: Value, context: QueryContext): DocTest[] {
  if (!Array.isArray(operand)) throw badValue(`${key} argument must be an array`);
  if (operand.length === 0) throw badValue('$and/$or/$nor must be a nonempty array');
  return operand.map((branch) => {
    if (!(branch instanceof Map)) throw badValue('$or/$and/$nor entries need to be full objects');
    return compileFilter(branch, context);
  });
}
