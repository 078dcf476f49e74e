import { isTagged, type Tagged, type Value } from './values.js';

const MAX_LENGTH = 1000;

/** A value as MongoDB's error messages show it, `{ a: 1, b: "x" }`; cut off after 1,000 characters. */
export function display(v: Value | undefined): string {
  const text = show(v);
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}...` : text;
}

function show(v: Value | undefined): string {
  if (v === undefined) return 'missing';
  if (v === null) return 'null';
  if (typeof v === 'string') return `"${v}"`;
  if (typeof v === 'boolean') return String(v);
  if (v instanceof Date) return `new Date(${v.getTime()})`;
  if (Array.isArray(v)) return v.length === 0 ? '[]' : `[ ${v.map(show).join(', ')} ]`;
  if (v instanceof Map) {
    return v.size === 0 ? '{}' : `{ ${[...v].map(([key, value]) => `${key}: ${show(value)}`).join(', ')} }`;
  }
  return isTagged(v) ? showTagged(v) : '';
}

function showTagged(v: Tagged): string {
  switch (v['_bsontype']) {
    case 'Double':
      return Number.isInteger(v.value) ? v.value.toFixed(1) : String(v.value);
    case 'Int32':
    case 'Long':
      return v.toString();
    case 'Decimal128':
      return `Decimal128('${v.toString()}')`;
    case 'ObjectId':
      return `ObjectId('${v.toHexString()}')`;
    case 'BSONRegExp':
      return `/${v.pattern}/${v.options}`;
    case 'Timestamp':
      return `Timestamp(${v.t}, ${v.i})`;
    case 'Binary':
      return `BinData(${v.sub_type}, ${Buffer.from(v.buffer.subarray(0, v.position)).toString('hex').toUpperCase()})`;
    case 'BSONSymbol':
      return `"${v.value}"`;
    case 'Code':
      return v.code;
    case 'DBPointer':
      return `DBRef('${v.namespace}', ${v.id.toHexString()})`;
    default:
      return v['_bsontype'] === 'Undefined' ? 'undefined' : v['_bsontype'];
  }
}
