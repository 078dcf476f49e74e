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
  ])('%#: refuses %j with code %d', (spec, code) => {
    expect(errorOf(() => evaluate(spec))?.code).toBe(code);
  });
});
