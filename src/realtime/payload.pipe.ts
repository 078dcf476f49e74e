import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import { AppError, type FieldFault } from '../contract/errors.js';

/**
 * Turns a payload into its DTO: unknown fields are dropped, what is wrong is BAD_REQUEST with every faulty field (contract §1).
 * Synchronous on purpose, unlike Nest's ValidationPipe: events of one socket then reach their services in the order in which they came.
 */
@Injectable()
export class PayloadPipe implements PipeTransform {
  private readonly fields = new WeakMap<Type, string[]>();

  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (type !== 'body' || metatype === undefined) return value;
    const payload = value === undefined ? {} : value;
    if (!isPlainObject(payload)) throw AppError.badField('', 'the payload must be one plain object');
    const { dto, errors } = validated(metatype as Type<object>, this.pickKnown(payload, metatype));
    if (errors.length > 0) {
      throw new AppError(
        'BAD_REQUEST',
        'The payload is not valid.',
        errors.flatMap((error) => faultsOf(error)),
      );
    }
    return dto;
  }

  /** Unknown fields go before anything walks through them: they may be as deep or as many as a frame can hold. */
  private pickKnown(payload: Record<string, unknown>, metatype: Type): Record<string, unknown> {
    const known: Record<string, unknown> = {};
    for (const field of this.fieldsOf(metatype)) {
      if (Object.hasOwn(payload, field)) known[field] = payload[field];
    }
    return known;
  }

  private fieldsOf(metatype: Type): string[] {
    let fields = this.fields.get(metatype);
    if (fields === undefined) {
      const rules = getMetadataStorage().getTargetValidationMetadatas(metatype, '', false, false);
      fields = [...new Set(rules.map(({ propertyName }) => propertyName))];
      this.fields.set(metatype, fields);
    }
    return fields;
  }
}

/** @throws AppError BAD_REQUEST for what is nested too deeply to be walked through, or pretends to be of a class */
function validated(type: Type<object>, known: object): { dto: object; errors: ValidationError[] } {
  try {
    const dto = plainToInstance(type, known);
    return { dto, errors: validateSync(dto, { forbidUnknownValues: true }) };
  } catch (error) {
    if (error instanceof RangeError) throw AppError.badField('', 'the payload is nested too deeply');
    if (error instanceof TypeError && hasConstructor(known))
      throw AppError.badField('', 'no field may be named constructor');
    throw error;
  }
}

/** Whether anything in it has a field of this name, which class-transformer takes for the kind of thing that it is. */
function hasConstructor(payload: object): boolean {
  const left: object[] = [payload];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (Object.hasOwn(value, 'constructor')) return true;
    for (const child of Object.values(value))
      if (typeof child === 'object' && child !== null) left.push(child);
  }
  return false;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
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
