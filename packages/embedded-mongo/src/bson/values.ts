import {
  type Binary,
  type BSONRegExp,
  type BSONSymbol,
  type Decimal128,
  type Double,
  Int32,
  type Long,
  type MaxKey,
  type MinKey,
  type ObjectId,
  type Timestamp,
} from 'bson';

/** An ordered document: key order survives, also that of integer-like keys. */
export type Doc = Map<string, Value>;

/** BSON's deprecated `undefined`. A class of its own, so that JavaScript's `undefined` always means "no such field". */
export class BsonUndefined {
  readonly _bsontype = 'Undefined';
}
export const UNDEFINED = new BsonUndefined();

/** BSON's deprecated DBPointer (0x0C); carried, compared, never interpreted. */
export class DbPointer {
  readonly _bsontype = 'DBPointer';
  constructor(
    readonly namespace: string,
    readonly id: ObjectId,
  ) {}
}

/** BSON's JavaScript code, with or without scope; carried, compared, never run. */
export class JavaScriptCode {
  readonly _bsontype = 'Code';
  constructor(
    readonly code: string,
    readonly scope?: Doc,
  ) {}
}

export type NumberValue = Double | Int32 | Long | Decimal128;

export type Tagged =
  | NumberValue
  | ObjectId
  | Binary
  | BSONRegExp
  | Timestamp
  | JavaScriptCode
  | BSONSymbol
  | DbPointer
  | MinKey
  | MaxKey
  | BsonUndefined;

/** Every BSON value. Numbers are always objects of the `bson` package, so that Double 1.0 and Long 1 stay what they are. */
export type Value = null | boolean | string | Date | Value[] | Doc | Tagged;

/** BSON type codes as on the wire, with -1 (MinKey) and 127 (MaxKey) as `$type` spells them. */
export const BsonType = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: -1,
  maxKey: 127,
} as const;

export type BsonTypeName = keyof typeof BsonType;
export type BsonTypeCode = (typeof BsonType)[BsonTypeName];

const typeNames = {
  [BsonType.double]: 'double',
  [BsonType.string]: 'string',
  [BsonType.object]: 'object',
  [BsonType.array]: 'array',
  [BsonType.binData]: 'binData',
  [BsonType.undefined]: 'undefined',
  [BsonType.objectId]: 'objectId',
  [BsonType.bool]: 'bool',
  [BsonType.date]: 'date',
  [BsonType.null]: 'null',
  [BsonType.regex]: 'regex',
  [BsonType.dbPointer]: 'dbPointer',
  [BsonType.javascript]: 'javascript',
  [BsonType.symbol]: 'symbol',
  [BsonType.javascriptWithScope]: 'javascriptWithScope',
  [BsonType.int]: 'int',
  [BsonType.timestamp]: 'timestamp',
  [BsonType.long]: 'long',
  [BsonType.decimal]: 'decimal',
  [BsonType.minKey]: 'minKey',
  [BsonType.maxKey]: 'maxKey',
} as const satisfies Record<BsonTypeCode, BsonTypeName>;

export function isDoc(v: Value | undefined): v is Doc {
  return v instanceof Map;
}

export function isTagged(v: Value | undefined): v is Tagged {
  return typeof v === 'object' && v !== null && '_bsontype' in v;
}

export function isNumber(v: Value | undefined): v is NumberValue {
  switch (tagOf(v)) {
    case 'Int32':
    case 'Double':
    case 'Long':
    case 'Decimal128':
      return true;
    default:
      return false;
  }
}

export function isInt32(v: Value | undefined): v is Int32 {
  return tagOf(v) === 'Int32';
}

export function isDouble(v: Value | undefined): v is Double {
  return tagOf(v) === 'Double';
}

export function isLong(v: Value | undefined): v is Long {
  return tagOf(v) === 'Long';
}

export function isDecimal(v: Value | undefined): v is Decimal128 {
  return tagOf(v) === 'Decimal128';
}

export function isRegex(v: Value | undefined): v is BSONRegExp {
  return tagOf(v) === 'BSONRegExp';
}

export function isTimestamp(v: Value | undefined): v is Timestamp {
  return tagOf(v) === 'Timestamp';
}

export function isUndefined(v: Value | undefined): v is BsonUndefined {
  return tagOf(v) === 'Undefined';
}

/** The text of a string or of a symbol, which compares and matches like one. */
export function textOf(v: Value | undefined): string | undefined {
  if (typeof v === 'string') return v;
  return isTagged(v) && v['_bsontype'] === 'BSONSymbol' ? v.value : undefined;
}

export function tagOf(v: Value | undefined): Tagged['_bsontype'] | undefined {
  return isTagged(v) ? v['_bsontype'] : undefined;
}

export function bsonType(v: Value): BsonTypeCode {
  if (v === null) return BsonType.null;
  if (typeof v === 'string') return BsonType.string;
  if (typeof v === 'boolean') return BsonType.bool;
  if (v instanceof Map) return BsonType.object;
  if (Array.isArray(v)) return BsonType.array;
  if (v instanceof Date) return BsonType.date;
  return typeOfTagged(v);
}

function typeOfTagged(v: Tagged): BsonTypeCode {
  switch (v['_bsontype']) {
    case 'Int32':
      return BsonType.int;
    case 'Double':
      return BsonType.double;
    case 'Long':
      return BsonType.long;
    case 'Decimal128':
      return BsonType.decimal;
    case 'ObjectId':
      return BsonType.objectId;
    case 'Binary':
      return BsonType.binData;
    case 'BSONRegExp':
      return BsonType.regex;
    case 'Timestamp':
      return BsonType.timestamp;
    case 'Code':
      return v.scope === undefined ? BsonType.javascript : BsonType.javascriptWithScope;
    case 'BSONSymbol':
      return BsonType.symbol;
    case 'DBPointer':
      return BsonType.dbPointer;
    case 'Undefined':
      return BsonType.undefined;
    case 'MinKey':
      return BsonType.minKey;
    default:
      return BsonType.maxKey;
  }
}

/** The type's name as `$type` and MongoDB's messages spell it. */
export function typeName(v: Value): BsonTypeName {
  return typeNames[bsonType(v)];
}

export function int32(n: number): Int32 {
  return new Int32(n);
}
