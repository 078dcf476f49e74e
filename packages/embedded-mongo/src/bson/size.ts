import type { Value } from './values.js';

/** What a value takes as an object in memory besides its own bytes, roughly. */
const VALUE_OVERHEAD = 16;
const CONTAINER_OVERHEAD = 64;

/** A rough number of bytes that a value takes, without encoding it: its encoded size and something for the objects it is made of. */
export function approximateSize(value: Value | undefined): number {
  if (value === undefined) return 0;
  if (typeof value === 'string') return VALUE_OVERHEAD + value.length;
  if (value === null || typeof value !== 'object') return VALUE_OVERHEAD;
  if (value instanceof Map) {
    let bytes = CONTAINER_OVERHEAD;
    for (const [name, field] of value) bytes += name.length + approximateSize(field);
    return bytes;
  }
  if (Array.isArray(value))
    return value.reduce<number>((sum, element) => sum + approximateSize(element), CONTAINER_OVERHEAD);
  if (value instanceof Date) return VALUE_OVERHEAD + 8;
  switch (value['_bsontype']) {
    case 'Binary':
      return VALUE_OVERHEAD + value.buffer.length;
    case 'BSONRegExp':
      return VALUE_OVERHEAD + value.pattern.length;
    case 'Code':
      return VALUE_OVERHEAD + value.code.length + approximateSize(value.scope);
    case 'BSONSymbol':
      return VALUE_OVERHEAD + value.value.length;
    case 'DBPointer':
      return VALUE_OVERHEAD + value.namespace.length + 12;
    default:
      return VALUE_OVERHEAD + 12;
  }
}
