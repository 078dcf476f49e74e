import { isTagged, typeName, type Value } from '../bson/values.js';
import { MongoError } from '../errors.js';

/** A value as `$toString` gives it. Throws `code` for types that have no text. */
export function toText(v: Value, code: number): string {
  if (typeof v === 'string') return v;
  if (typeof v === 'boolean') return String(v);
  if (v instanceof Date) return v.toISOString();
  if (isTagged(v)) {
    switch (v['_bsontype']) {
      case 'ObjectId':
        return v.toHexString();
      case 'Int32':
      case 'Long':
      case 'Decimal128':
        return v.toString();
      case 'Double':
        return doubleText(v.value);
      case 'BSONSymbol':
        return v.value;
      default:
    }
  }
  throw new MongoError(code, `can't convert from BSON type ${typeName(v)} to String`);
}

/** MongoDB writes doubles with up to 17 significant digits: 1 and not 1.0, Infinity, NaN, 1e+20. */
function doubleText(n: number): string {
  if (Object.is(n, -0)) return '-0';
  if (!Number.isFinite(n)) return String(n);
  const [mantissa = '0', exponent = '0'] = n.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -5 && power < 17 && Math.abs(n) >= 1e-5) return plainText(n, mantissa, power);
  const digits = String(Math.abs(power)).padStart(2, '0');
  return `${mantissa}e${power < 0 ? '-' : '+'}${digits}`;
}

function plainText(n: number, mantissa: string, power: number): string {
  const decimals = Math.max(0, mantissa.replace(/^-?\d\.?/, '').length - power);
  return decimals > 100 ? String(n) : n.toFixed(decimals);
}
