import { toDecimalParts } from './arithmetic.js';
import { canonicalType } from './compare.js';
import { exactFromDouble, stripZeros } from './decimal.js';
import { encodeDoc } from './encode.js';
import { isDouble, isInt32, isNumber, type NumberValue, textOf, type Value } from './values.js';

/** A text that is the same for values that compare equal, 1 and 1.0, and differs for all others. */
export function equalityKey(v: Value): string {
  const text = textOf(v);
  if (text !== undefined) return `s${text.length}:${text}`;
  if (isNumber(v)) return `n${numberKey(v)}`;
  if (Array.isArray(v)) return `[${v.map(equalityKey).join(',')}]`;
  if (v instanceof Map)
    return `{${[...v].map(([name, field]) => `${equalityKey(name)}=${equalityKey(field)}`).join(',')}}`;
  if (typeof v === 'boolean') return v ? 't' : 'f';
  if (v instanceof Date) return `d${v.getTime()}`;
  return `${canonicalType(v)}/${encodeDoc(new Map([['', v]])).toString('latin1')}`;
}

function numberKey(v: NumberValue): string {
  if (isInt32(v) || (isDouble(v) && Number.isSafeInteger(v.value))) return String(v.value + 0);
  const parts = isDouble(v) && Number.isFinite(v.value) ? exactFromDouble(v.value) : toDecimalParts(v);
  if (parts.kind === 'nan') return 'NaN';
  const sign = parts.negative ? '-' : '';
  if (parts.kind === 'infinite') return `${sign}inf`;
  const { coefficient, exponent } = stripZeros(parts);
  if (coefficient === 0n) return '0';
  // The plain form of integers, so that a Long and a Decimal128 meet the Int32 above.
  if (exponent >= 0 && exponent < 20) return `${sign}${coefficient}${'0'.repeat(exponent)}`;
  return `${sign}${coefficient}e${exponent}`;
}
