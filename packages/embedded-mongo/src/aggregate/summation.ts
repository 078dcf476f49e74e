import { Double, Int32, Long } from 'bson';
import { addDecimals, divideDecimals, toBigInt, toDecimalParts } from '../bson/arithmetic.js';
import { type DecimalParts, finite, makeDecimal } from '../bson/decimal.js';
import { isDecimal, isDouble, isInt32, type NumberValue, type Value } from '../bson/values.js';

/** A running sum as `$sum` and `$avg` make it: integers exactly, doubles with the rounding error carried along. */
export class Summation {
  count = 0;
  private whole = 0n;
  private double = 0;
  private compensation = 0;
  private decimal: DecimalParts = finite(0n, 0);
  private type: 'int' | 'long' | 'double' | 'decimal' = 'int';

  add(value: NumberValue): void {
    this.count++;
    if (isDecimal(value)) {
      this.type = 'decimal';
      this.decimal = addDecimals(this.decimal, toDecimalParts(value));
    } else if (isDouble(value)) {
      if (this.type !== 'decimal') this.type = 'double';
      this.addDouble(value.value);
    } else {
      if (!isInt32(value) && this.type === 'int') this.type = 'long';
      this.whole += toBigInt(value);
    }
  }

  /** Neumaier's variant of compensated summation. */
  private addDouble(n: number): void {
    const sum = this.double + n;
    const lost = Math.abs(this.double) >= Math.abs(n) ? this.double - sum + n : n - sum + this.double;
    this.double = sum;
    if (Number.isFinite(sum)) this.compensation += lost;
  }

  private get doubles(): number {
    return Number.isFinite(this.double) ? this.double + this.compensation : this.double;
  }

  /** Int32 sums grow to Long, integer sums beyond 64 bits to Double. */
  sum(): NumberValue {
    if (this.type === 'decimal') return makeDecimal(this.decimalTotal());
    if (this.type === 'double') return new Double(this.doubleTotal());
    if (this.type === 'int' && this.whole >= -0x80000000n && this.whole <= 0x7fffffffn)
      return new Int32(Number(this.whole));
    const isLong = this.whole >= -(2n ** 63n) && this.whole < 2n ** 63n;
    return isLong ? Long.fromBigInt(this.whole) : new Double(Number(this.whole));
  }

  /** Always a Double or a Decimal128; null for no numbers at all. */
  average(): Value {
    if (this.count === 0) return null;
    if (this.type !== 'decimal') return new Double(this.doubleTotal() / this.count);
    return makeDecimal(divideDecimals(this.decimalTotal(), finite(BigInt(this.count), 0)));
  }

  private doubleTotal(): number {
    if (!Number.isFinite(this.double)) return this.double;
    // Only one rounding where both parts are exact.
    return this.whole === 0n ? this.doubles : this.wholeAndDoubles();
  }

  private wholeAndDoubles(): number {
    const n = Number(this.whole);
    const rest = Number(this.whole - BigInt(n));
    const sum = this.double + n;
    const lost = Math.abs(this.double) >= Math.abs(n) ? this.double - sum + n : n - sum + this.double;
    return sum + (lost + this.compensation + rest);
  }

  private decimalTotal(): DecimalParts {
    const withWhole = addDecimals(this.decimal, finite(this.whole, 0));
    if (this.double === 0 && this.compensation === 0) return withWhole;
    return addDecimals(withWhole, toDecimalParts(new Double(this.doubles)));
  }
}
