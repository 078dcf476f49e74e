import { Decimal128, Double, Long, ObjectId } from 'bson';
import { compileExpression } from '../src/aggregate/expression.js';
import { fromPlain } from '../src/bson/encode.js';
import { doc, errorOf, typed, typedOf } from './support/plain.js';

const root = doc({
  a: 1,
  b: 2.5,
  s: 'héllo',
  n: null,
  arr: [1, 2, 3],
  docs: [{ x: 1 }, { x: 2 }, {}],
  o: { p: 1, q: 'z' },
  d: new Date('2024-02-29T23:30:15.123Z'),
  l: Long.fromString('9223372036854775807'),
  id: new ObjectId('65e0f0f00000000000000000'),
});
const now = new Date(0);

function evaluate(spec: unknown) {
  return compileExpression(fromPlain(spec))({ root, now });
}

const MISSING = Symbol('missing');
const long = (text: string) => Long.fromString(text);
const decimal = (text: string) => Decimal128.fromString(text);

/** A field `then`, as `$cond` and `$switch` have it; as an object literal it would be a thenable. */
const then = (value: unknown): object => Object.fromEntries(new Map([['then', value]]));

/** What an operator with named fields refuses: no object, an unknown field, each required field when it is missing. */
function namedFields(
  operator: string,
  notAnObject: number,
  unknown: number,
  missing: Record<string, number>,
): [unknown, number][] {
  const names = Object.keys(missing);
  const without = (name: string) =>
    Object.fromEntries(names.filter((other) => other !== name).map((other) => [other, { a: 1 }]));
  return [
    [{ [operator]: 1 }, notAnObject],
    [{ [operator]: { foo: 1 } }, unknown],
    ...names.map((name): [unknown, number] => [{ [operator]: without(name) }, missing[name] ?? 0]),
  ];
}

/** Matches as a backtracking engine finds them: leftmost, and of those the one that is tried first. */
function regexFinds(): [unknown, unknown][] {
  const found = (match: string, idx: number, captures: (string | null)[] = []) => ({ match, idx, captures });
  const find = (input: string, regex: unknown, options = '') => ({ $regexFind: { input, regex, options } });
  const findAll = (input: string, regex: string) => ({ $regexFindAll: { input, regex } });
  return [
    [find('xabc', 'a(b)(z)?'), found('ab', 1, ['b', null])],
    [find('aaa', 'a+?'), found('a', 0)],
    [find('aaa', 'a{1,2}'), found('aa', 0)],
    [find('abcd', 'ab|abcd'), found('ab', 0)],
    [find('<a><b>', '<(.+)>'), found('<a><b>', 0, ['a><b'])],
    [find('<a><b>', '<(.+?)>'), found('<a>', 0, ['a'])],
    [find('abac', '(?:(a)(b)?)+'), found('aba', 0, ['a', 'b'])],
    [find('éé😀Ab', 'ab', 'i'), found('Ab', 3)],
    [find('2020-03', '(?<y>[0-9]{4})-(?:0?)([0-9])'), found('2020-03', 0, ['2020', '3'])],
    [find('b', '(a)?'), found('', 0, [null])],
    [find('b', 'a'), null],
    [{ $regexFind: { input: null, regex: 'a' } }, null],
    [findAll('abab', 'ab'), [found('ab', 0), found('ab', 2)]],
    [findAll('axa', 'a|x?'), [found('a', 0), found('x', 1), found('a', 2)]],
    [findAll('xb', 'x*'), [found('x', 0), found('', 1)]],
    [findAll('', 'x*'), [found('', 0)]],
    [findAll('ab', '^.'), [found('a', 0)]],
    [findAll('ab', 'x'), []],
    [{ $regexFindAll: { input: '$nope', regex: 'a' } }, []],
  ];
}

describe('expressions', () => {
  it.each<[unknown, unknown]>([
    // paths, literals, variables
    ['$a', 1],
    ['$o.p', 1],
    ['$docs.x', [1, 2]],
    ['$arr.0', []],
    ['$nope', MISSING],
    ['$$ROOT.a', 1],
    ['$$CURRENT.o.q', 'z'],
    ['$$NOW', now],
    ['$$REMOVE', MISSING],
    [{ $literal: '$a' }, '$a'],
    [
      { x: '$a', y: '$nope', z: ['$nope'] },
      { x: 1, z: [null] },
    ],
    // arithmetic
    [{ $add: ['$a', 2] }, 3],
    [{ $add: ['$a', '$b'] }, new Double(3.5)],
    [{ $add: [] }, 0],
    [{ $add: ['$a', null] }, null],
    [{ $add: ['$d', 1000] }, new Date('2024-02-29T23:30:16.123Z')],
    [{ $add: ['$l', 1] }, new Double(2 ** 63)],
    [{ $add: [2147483647, 1] }, long('2147483648')],
    [{ $subtract: [5, 7] }, -2],
    [{ $subtract: ['$d', new Date('2024-02-29T23:30:15Z')] }, long('123')],
    [{ $multiply: [3, new Double(0.5)] }, new Double(1.5)],
    [{ $multiply: [decimal('1.1'), 2] }, decimal('2.2')],
    [{ $divide: [1, 4] }, new Double(0.25)],
    [{ $divide: [decimal('1'), 3] }, decimal('0.3333333333333333333333333333333333')],
    [{ $divide: [decimal('1.20'), decimal('2')] }, decimal('0.60')],
    [{ $mod: [-7, 3] }, -1],
    [{ $mod: [new Double(5.5), 2] }, new Double(1.5)],
    [{ $abs: -3 }, 3],
    [{ $ceil: 2.1 }, new Double(3)],
    [{ $floor: -2.1 }, new Double(-3)],
    [{ $round: [2.5, 0] }, new Double(2)],
    [{ $round: [1234.5678, 2] }, new Double(1234.57)],
    [{ $round: [1250, -2] }, 1200],
    [{ $trunc: [-2.7] }, new Double(-2)],
    [{ $sqrt: 16 }, new Double(4)],
    [{ $pow: [2, 10] }, 1024],
    [{ $pow: [2, -1] }, new Double(0.5)],
    // comparison and logic
    [{ $eq: ['$nope', null] }, false],
    [{ $gt: [null, '$nope'] }, true],
    [{ $eq: [1, new Double(1)] }, true],
    [{ $lt: ['a', 1] }, false],
    [{ $cmp: [1, 2] }, -1],
    [{ $and: [] }, true],
    [{ $and: [1, 0] }, false],
    [{ $or: ['$nope', 'x'] }, true],
    [{ $not: ['$n'] }, true],
    [{ $cond: [true, 'y', 'n'] }, 'y'],
    [{ $cond: { if: '$n', ...then('y'), else: 'n' } }, 'n'],
    [{ $ifNull: ['$n', '$nope', 5] }, 5],
    [
      {
        $switch: {
          branches: [
            { case: '$n', ...then(1) },
            { case: true, ...then(2) },
          ],
          default: 3,
        },
      },
      2,
    ],
    // strings
    [{ $concat: ['$s', '!'] }, 'héllo!'],
    [{ $concat: ['$s', null] }, null],
    [{ $toUpper: '$s' }, 'HéLLO'],
    [{ $toLower: null }, ''],
    [{ $strLenCP: '$s' }, 5],
    [{ $strLenBytes: '$s' }, 6],
    [{ $substrCP: ['$s', 1, 2] }, 'él'],
    [{ $substrBytes: ['$s', 3, -1] }, 'llo'],
    [{ $split: ['a-b-c', '-'] }, ['a', 'b', 'c']],
    [{ $trim: { input: '  x ' } }, 'x'],
    [{ $ltrim: { input: 'xxyx', chars: 'x' } }, 'yx'],
    [{ $rtrim: { input: 'xx', chars: 'x' } }, ''],
    [{ $indexOfCP: ['$s', 'l'] }, 2],
    [{ $indexOfBytes: ['$s', 'l'] }, 3],
    [{ $replaceOne: { input: 'aa', find: 'a', replacement: { $literal: '$&' } } }, '$&a'],
    [{ $replaceAll: { input: 'a.a', find: 'a', replacement: 'b' } }, 'b.b'],
    [{ $regexMatch: { input: '$s', regex: 'HÉ', options: 'i' } }, true],
    [{ $strcasecmp: ['a', 'B'] }, -1],
    // arrays
    [{ $size: '$arr' }, 3],
    [{ $arrayElemAt: ['$arr', -1] }, 3],
    [{ $arrayElemAt: ['$arr', 9] }, MISSING],
    [{ $first: '$arr' }, 1],
    [{ $last: '$arr' }, 3],
    [{ $filter: { input: '$arr', as: 'v', cond: { $gt: ['$$v', 1] } } }, [2, 3]],
    [{ $filter: { input: '$arr', cond: { $gt: ['$$this', 1] }, limit: 1 } }, [2]],
    [{ $map: { input: '$docs', as: 'e', in: '$$e.x' } }, [1, 2, null]],
    [{ $reduce: { input: '$arr', initialValue: 0, in: { $add: ['$$value', '$$this'] } } }, 6],
    [{ $let: { vars: { v: '$a' }, in: { $add: ['$$v', 1] } } }, 2],
    [{ $concatArrays: ['$arr', [4]] }, [1, 2, 3, 4]],
    [{ $slice: ['$arr', -2] }, [2, 3]],
    [{ $slice: ['$arr', 1, 1] }, [2]],
    [{ $in: [2, '$arr'] }, true],
    [{ $indexOfArray: ['$arr', 3] }, 2],
    [{ $reverseArray: '$arr' }, [3, 2, 1]],
    [{ $range: [0, 6, 2] }, [0, 2, 4]],
    [{ $range: [3, 0, -1] }, [3, 2, 1]],
    [{ $isArray: '$a' }, false],
    [
      { $sortArray: { input: [{ k: [5, 1] }, { k: 9 }, { k: [2] }], sortBy: { k: 1 } } },
      [{ k: 9 }, { k: [2] }, { k: [5, 1] }],
    ],
    [{ $sortArray: { input: [{ k: 2 }, { k: 1 }], sortBy: { k: 1 } } }, [{ k: 1 }, { k: 2 }]],
    [
      {
        $setUnion: [
          [2, 1],
          [2, 3],
        ],
      },
      [1, 2, 3],
    ],
    [
      {
        $setIntersection: [
          [2, 1],
          [2, 3],
        ],
      },
      [2],
    ],
    [{ $setDifference: [[2, 1, 1], [2]] }, [1]],
    [
      {
        $setEquals: [
          [1, 2, 2],
          [2, 1],
        ],
      },
      true,
    ],
    [{ $setIsSubset: [[1], [2, 1]] }, true],
    [{ $anyElementTrue: [[0, 1]] }, true],
    [{ $allElementsTrue: [[0, 1]] }, false],
    // objects
    [{ $mergeObjects: ['$o', { r: 1 }, null] }, { p: 1, q: 'z', r: 1 }],
    [
      { $objectToArray: '$o' },
      [
        { k: 'p', v: 1 },
        { k: 'q', v: 'z' },
      ],
    ],
    [{ $arrayToObject: [[['k', 1]]] }, { k: 1 }],
    [{ $arrayToObject: { $literal: [{ k: 'x', v: 2 }] } }, { x: 2 }],
    [{ $getField: { field: 'p', input: '$o' } }, 1],
    [{ $setField: { field: 'a.b', input: '$o', value: 1 } }, { p: 1, q: 'z', 'a.b': 1 }],
    [{ $unsetField: { field: 'p', input: '$o' } }, { q: 'z' }],
    // accumulators as expressions
    [{ $sum: '$arr' }, 6],
    [{ $sum: ['$a', '$b', 'x'] }, new Double(3.5)],
    [{ $avg: '$arr' }, new Double(2)],
    [{ $max: ['$a', '$b', null] }, new Double(2.5)],
    [{ $min: [] }, null],
    // types and conversions
    [{ $type: '$nope' }, 'missing'],
    [{ $type: '$l' }, 'long'],
    [{ $isNumber: '$s' }, false],
    [{ $toString: '$b' }, '2.5'],
    [{ $toString: new Double(1) }, '1'],
    [{ $toString: new Double(1e21) }, '1e+21'],
    [{ $toString: '$d' }, '2024-02-29T23:30:15.123Z'],
    [{ $toString: '$id' }, '65e0f0f00000000000000000'],
    [{ $toInt: '12' }, 12],
    [{ $toInt: 2.9 }, 2],
    [{ $toLong: 5 }, long('5')],
    [{ $toDouble: '1.5' }, new Double(1.5)],
    [{ $toDecimal: 1 }, decimal('1')],
    [{ $toBool: 'false' }, true],
    [{ $toDate: '2024-01-01' }, new Date('2024-01-01')],
    [{ $toDate: long('0') }, new Date(0)],
    [{ $convert: { input: 'x', to: 'int', onError: 'bad' } }, 'bad'],
    [{ $convert: { input: null, to: 'int', onNull: 'none' } }, 'none'],
    // dates
    [{ $year: '$d' }, 2024],
    [{ $month: '$d' }, 2],
    [{ $dayOfMonth: { date: '$d', timezone: '+01:00' } }, 1],
    [{ $hour: { date: '$d', timezone: 'Asia/Kolkata' } }, 5],
    [{ $dayOfWeek: '$d' }, 5],
    [{ $dayOfYear: '$d' }, 60],
    [{ $isoWeek: '$d' }, 9],
    [
      { $dateToString: { date: '$d', format: '%Y-%m-%d %H:%M:%S.%L %j %V %%' } },
      '2024-02-29 23:30:15.123 060 09 %',
    ],
    [{ $dateToString: { date: '$d' } }, '2024-02-29T23:30:15.123Z'],
    [{ $dateToString: { date: '$d', format: '%H%z', timezone: '-0330' } }, '20-0330'],
    [{ $dateFromString: { dateString: '2024-02-29T10:00:00+0200' } }, new Date('2024-02-29T08:00:00Z')],
    [{ $dateAdd: { startDate: '$d', unit: 'year', amount: 1 } }, new Date('2025-02-28T23:30:15.123Z')],
    [{ $dateSubtract: { startDate: '$d', unit: 'hour', amount: 2 } }, new Date('2024-02-29T21:30:15.123Z')],
    [{ $dateDiff: { startDate: new Date('2023-12-31T23:00Z'), endDate: '$d', unit: 'month' } }, long('2')],
    [
      { $dateDiff: { startDate: new Date('2024-03-02'), endDate: new Date('2024-03-03'), unit: 'week' } },
      long('1'),
    ],
    [{ $dateTrunc: { date: '$d', unit: 'month' } }, new Date('2024-02-01')],
    [{ $dateFromString: { dateString: '15/03/2020', format: '%d/%m/%Y' } }, new Date('2020-03-15')],
    [
      {
        $dateFromString: {
          dateString: '2020-03-15 [12:30:15.250] +0130',
          format: '%Y-%m-%d [%H:%M:%S.%L] %z',
        },
      },
      new Date('2020-03-15T11:00:15.250Z'),
    ],
    [{ $dateFromString: { dateString: '31/02/2020', format: '%d/%m/%Y', onError: 'x' } }, 'x'],
    [{ $dateFromString: { dateString: 'x', format: null } }, null],
    [{ $dateFromParts: { year: 2020, month: 3 } }, new Date('2020-03-01')],
    [{ $dateFromParts: { year: 2020, month: 14, day: 0 } }, new Date('2021-01-31')],
    [{ $dateFromParts: { isoWeekYear: 2021, isoWeek: 1, isoDayOfWeek: 3 } }, new Date('2021-01-06')],
    [
      { $dateFromParts: { year: 2024, month: 7, hour: 12, timezone: 'Europe/Berlin' } },
      new Date('2024-07-01T10:00:00Z'),
    ],
    [{ $dateFromParts: { year: 2020, month: null } }, null],
    [
      { $dateToParts: { date: '$d' } },
      { year: 2024, month: 2, day: 29, hour: 23, minute: 30, second: 15, millisecond: 123 },
    ],
    [
      { $dateToParts: { date: '$d', iso8601: true, timezone: '+01:00' } },
      { isoWeekYear: 2024, isoWeek: 9, isoDayOfWeek: 5, hour: 0, minute: 30, second: 15, millisecond: 123 },
    ],
    [{ $zip: { inputs: [[1, 2], [3]] } }, [[1, 3]]],
    ...regexFinds(),
    [
      { $zip: { inputs: [[1, 2], [3]], useLongestLength: true, defaults: [0, 9] } },
      [
        [1, 3],
        [2, 9],
      ],
    ],
    [{ $zip: { inputs: [[1], '$n'] } }, null],
    [{ $stdDevPop: [1, 3] }, new Double(1)],
    [{ $stdDevSamp: '$arr' }, new Double(1)],
    [{ $stdDevSamp: [1] }, null],
    [{ $firstN: { input: '$arr', n: 2 } }, [1, 2]],
    [{ $lastN: { input: '$arr', n: 2 } }, [2, 3]],
    [{ $maxN: { input: [3, null, 9, 1], n: 2 } }, [9, 3]],
    [{ $minN: { input: [3, null, 9, 1], n: 2 } }, [1, 3]],
    [{ $firstN: { input: [null, 1], n: 5 } }, [null, 1]],
    [{ $dateFromString: { dateString: 'never', onError: 'x' } }, 'x'],
    [{ $dateFromString: { dateString: '2024-02-30', onError: 'x' } }, 'x'],
    [{ $convert: { input: 'x', to: 'date', onError: null } }, null],
    [{ $dateTrunc: { date: '$d', unit: 'week' } }, new Date('2024-02-25')],
    [{ $dateTrunc: { date: '$d', unit: 'minute', binSize: 15 } }, new Date('2024-02-29T23:30:00Z')],
  ])('%#: %j', (spec, expected) => {
    expect(typed(evaluate(spec))).toEqual(expected === MISSING ? '(missing)' : typedOf(expected));
  });

  it.each<[unknown, number]>([
    [{ $foo: 1 }, 168],
    [{ $add: 1, $subtract: 2 }, 15983],
    ['$$nope', 17276],
    ['$', 16872],
    ['$a.', 40353],
    ['$a..b', 15998],
    [{ 'a.b': 1 }, 16405],
    [{ $subtract: [1] }, 16020],
    [{ $slice: [1] }, 28667],
    [{ $add: ['x', 1] }, 14],
    [{ $divide: [1, 0] }, 2],
    [{ $mod: [1, 0] }, 16610],
    [{ $size: '$a' }, 17124],
    [{ $concat: [1] }, 16702],
    [{ $in: [1, 2] }, 40081],
    [{ $filter: { input: 1, cond: true } }, 28651],
    [{ $map: { input: 1, in: 1 } }, 16883],
    [{ $cond: [1, 2] }, 16020],
    [{ $switch: { branches: [{ case: false, ...then(1) }] } }, 40066],
    [{ $mergeObjects: [1] }, 40400],
    [{ $toInt: 'x' }, 241],
    [{ $toInt: 3e9 }, 241],
    [{ $toObjectId: 'x' }, 241],
    [{ $year: 'x' }, 16006],
    [{ $dayOfMonth: { date: '$d', timezone: 'Mars/Base' } }, 40485],
    [{ $let: { vars: { X: 1 }, in: 1 } }, 16867],
    [{ $constructor: 1 }, 168],
    [{ $zip: 5 }, 34460],
    [{ $regexFind: { input: 'a', regex: '(' } }, 51111],
    [{ $regexFind: { input: 1, regex: 'a' } }, 51104],
    [{ $regexFind: { input: 'a', regex: 'a(?=b)' } }, 238],
    [{ $regexFind: { input: 'a', regex: '(?:a*)?' } }, 238],
    [{ $zip: { inputs: 1 } }, 34461],
    [{ $zip: { inputs: [] } }, 34465],
    [{ $zip: { inputs: [[1]], defaults: [1] } }, 34466],
    [{ $zip: { inputs: [1] } }, 34468],
    [{ $firstN: { input: [1], n: 0 } }, 5787908],
    [{ $firstN: { input: [1], n: 'x' } }, 5787902],
    [{ $firstN: { input: 1, n: 1 } }, 5788200],
    [{ $dateFromParts: { month: 1 } }, 40516],
    [{ $dateFromParts: { year: 2020, isoWeek: 1 } }, 40489],
    [{ $dateFromParts: { year: 2020, month: 'x' } }, 40515],
    [{ $dateFromParts: { year: 0 } }, 40523],
    [{ $dateFromParts: { year: 2020, month: 40000 } }, 31034],
    [
      { $dateFromParts: { year: 2024, month: 3, day: 31, hour: 2, minute: 30, timezone: 'Europe/Berlin' } },
      238,
    ],
    [{ $dateToParts: 1 }, 40524],
    [{ $dateToParts: { date: '$d', iso8601: 1 } }, 40521],
    [{ $dateFromString: { dateString: '1', format: '%' } }, 18535],
    [{ $dateFromString: { dateString: '1', format: '%q', onError: 1 } }, 18536],
    [{ $dateFromString: { dateString: '1/3/2020', format: '%d/%m/%Y' } }, 241],
    [{ $dateFromString: { dateString: '1/3/2020', format: '%d/%m/%Y', onError: 1 } }, 238],
    // MongoDB reads more forms than ISO 8601.
    [{ $dateFromString: { dateString: '15 March 2020', onError: 1 } }, 238],
    [{ $convert: { input: '3/15/2020', to: 'date', onError: 1 } }, 238],
    [{ $dateFromString: { dateString: '15 March 2020' } }, 241],
    [{ $indexOfCP: [1, 'a'] }, 40093],
    [{ $indexOfCP: ['a', null] }, 40094],
    [{ $indexOfBytes: ['a', null] }, 40092],
    [{ $substr: ['a', 1] }, 16020],
    [{ $substrCP: ['a', -1, 1] }, 34455],
    [{ $substrCP: ['a', -1, -1] }, 34454],
    [{ $range: [0.5, 3] }, 34444],
    [{ $range: ['x', 3] }, 34443],
    [{ $range: [0, 2.5] }, 34446],
    [{ $regexMatch: { input: 'a', regex: '(' } }, 51111],
    ...namedFields('$filter', 28646, 28647, { input: 28648, cond: 28650 }),
    ...namedFields('$map', 16878, 16879, { input: 16880, in: 16882 }),
    ...namedFields('$reduce', 40075, 40076, { input: 40077, initialValue: 40078, in: 40079 }),
    ...namedFields('$let', 16874, 16875, { vars: 16876, in: 16877 }),
    [{ $switch: { branches: [1] } }, 40062],
    [{ $switch: { branches: [{ foo: 1 }] } }, 40063],
    [{ $switch: { branches: [then(1)] } }, 40064],
    [{ $switch: { branches: [{ case: true }] } }, 40065],
    ...namedFields('$trim', 50696, 50694, { input: 50695 }),
    ...namedFields('$dateToString', 18629, 18534, { date: 18628 }),
    ...namedFields('$dateFromString', 40540, 40541, { dateString: 40542 }),
    ...namedFields('$replaceAll', 51751, 51750, { input: 51749, find: 51748, replacement: 51747 }),
    ...namedFields('$regexMatch', 51103, 31024, { input: 31022, regex: 31023 }),
    ...namedFields('$sortArray', 2942500, 2942501, { input: 2942502, sortBy: 2942503 }),
    ...namedFields('$dateAdd', 5166400, 5166401, { startDate: 5166402, unit: 5166402, amount: 5166402 }),
    ...namedFields('$dateTrunc', 5439007, 5439008, { date: 5439009, unit: 5439010 }),
    ...namedFields('$dateDiff', 5166301, 5166302, { startDate: 5166303, endDate: 5166304, unit: 5166305 }),
  ])('%#: refuses %j with code %d', (spec, code) => {
    expect(errorOf(() => evaluate(spec))?.code).toBe(code);
  });
});
