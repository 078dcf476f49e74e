import { Decimal128 } from 'bson';
import type { MongoError } from '../errors.js';
import { fitsLong } from '../query/numbers.js';

type Failure = (reason: string) => MongoError;

function unreadable(text: string, reason: string): string {
  return `Failed to parse number '${text}' in $convert with no onError value: ${reason}`;
}

/** A decimal integer within 64 bits, without blanks or fraction. */
export function parseInteger(text: string, failure: Failure): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw failure(unreadable(text, 'Did not consume whole string.'));
  const number = text.length > 40 ? undefined : BigInt(text.replace(/^\+/, ''));
  if (number === undefined || !fitsLong(number)) throw failure(unreadable(text, 'Overflow'));
  return number;
}

export function parseDouble(text: string, failure: Failure): number {
  if (/^[+-]?(?:inf|infinity)$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) {
    throw failure(unreadable(text, 'Did not consume whole string.'));
  }
  const number = Number(text);
  if (!Number.isFinite(number)) throw failure(unreadable(text, 'Out of range'));
  return number;
}

export function parseDecimal(text: string, failure: Failure): Decimal128 {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$|^[+-]?(?:inf|infinity|nan)$/i.test(text)) {
    throw failure(unreadable(text, 'Failed to parse string to decimal'));
  }
  try {
    return Decimal128.fromStringWithRounding(text);
  } catch {
    throw failure(unreadable(text, 'Failed to parse string to decimal'));
  }
}
