import { Int32 } from 'bson';
import { isRegex, type Doc, type Value } from '../../bson/values.js';
import { MongoError } from '../../errors.js';
import { compileRegex, compileSearch } from '../../query/regex.js';
import type { Positions } from '../../query/regex-search.js';
import { REGEX } from '../argument-codes.js';
import { isAbsent, type Maybe, named } from '../arguments.js';
import type { Operator, OperatorTable } from '../scope.js';
import { requireText } from './strings.js';

interface Arguments {
  readonly text: string;
  readonly pattern: string;
  readonly options: string;
}

/** `none` is the answer where there is no text or no pattern. */
function regexOperator(name: string, none: () => Value, evaluate: (given: Arguments) => Value): Operator {
  return named(name, REGEX, ['input', 'regex'], ['options'], (value) => {
    const given = argumentsOf(name, value('input'), value('regex'), value('options'));
    if (!given) return none();
    try {
      return evaluate(given);
    } catch (error) {
      // In expressions an invalid pattern has another code than in queries.
      if (error instanceof MongoError && error.code === 51091)
        throw new MongoError(51111, `Invalid Regex in ${name}: ${error.message}`);
      throw error;
    }
  });
}

function argumentsOf(name: string, input: Maybe, regex: Maybe, options: Maybe): Arguments | undefined {
  const text = isAbsent(input)
    ? undefined
    : requireText(input, 51104, `${name} needs 'input' to be of type string, found `);
  const given = isAbsent(options)
    ? ''
    : requireText(options, 51106, `${name} needs 'options' to be of type string, found `);
  if (isAbsent(regex)) return undefined;
  const own = isRegex(regex) ? regex.options : '';
  const pattern = isRegex(regex)
    ? regex.pattern
    : requireText(regex, 51105, `${name} needs 'regex' to be of type string or regex, found `);
  if (own !== '' && given !== '') {
    throw new MongoError(
      51107,
      `${name}: found regex option(s) specified in both 'regex' and 'option' fields`,
    );
  }
  return text === undefined ? undefined : { text, pattern, options: own + given };
}

/** Its place is counted in code points; a group that took no part is null. */
function described(text: string, positions: Positions): Doc {
  const part = (at: number): string | null => {
    const [from, to] = [positions[2 * at], positions[2 * at + 1]];
    return from === undefined || to === undefined ? null : text.slice(from, to);
  };
  const groups = positions.length / 2 - 1;
  return new Map<string, Value>([
    ['match', part(0)],
    ['idx', new Int32(Array.from(text.slice(0, positions[0])).length)],
    ['captures', Array.from({ length: groups }, (_, i) => part(i + 1))],
  ]);
}

function find({ text, pattern, options }: Arguments): Value {
  const positions = compileSearch(pattern, options)(text, 0);
  return positions ? described(text, positions) : null;
}

/** After an empty match the search goes on with the next character, and at the end of the text not at all. */
function findAll({ text, pattern, options }: Arguments): Value {
  const search = compileSearch(pattern, options);
  const found: Value[] = [];
  for (let from = 0; from === 0 || from < text.length;) {
    const positions = search(text, from);
    if (!positions) break;
    found.push(described(text, positions));
    const [start = 0, end = start] = positions;
    from = end > start ? end : start + ((text.codePointAt(start) ?? 0) > 0xffff ? 2 : 1);
  }
  return found;
}

export const regexOperators: OperatorTable = {
  $regexMatch: regexOperator(
    '$regexMatch',
    () => false,
    ({ text, pattern, options }) => compileRegex(pattern, options)(text),
  ),
  $regexFind: regexOperator('$regexFind', () => null, find),
  $regexFindAll: regexOperator('$regexFindAll', () => [], findAll),
};
