import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { AppError, type FieldFault } from '../contract/errors.js';

/**
 * Turns a payload into its DTO: unknown fields are dropped, what is wrong is BAD_REQUEST with every faulty field (contract §1).
 * Synchronous on purpose, unlike Nest's ValidationPipe: events of one socket then reach their services in the order in which they came.
 */
@Injectable()
export class PayloadPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (type !== 'body' || metatype === undefined) return value;
    const payload = value ?? {};
    if (value === null || !isPlainObject(payload))
      throw AppError.badField('', 'the payload must be one plain object');
    const dto: object = plainToInstance(metatype, payload) as object;
    const errors = validateSync(dto, { whitelist: true, forbidUnknownValues: true });
    if (errors.length > 0)
      throw new AppError(
        'BAD_REQUEST',
        'The payload is not valid.',
        errors.flatMap((error) => faultsOf(error)),
      );
    return dto;
  }
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** One fault a field: of several broken rules the one written first, which is the type. */
function faultsOf(error: ValidationError, parent = ''): FieldFault[] {
  const field = parent === '' ? error.property : `${parent}.${error.property}`;
  const message = Object.values(error.constraints ?? {}).at(-1);
  const own = message === undefined ? [] : [{ field, message }];
  return [...own, ...(error.children ?? []).flatMap((child) => faultsOf(child, field))];
}
