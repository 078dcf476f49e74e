import { ArrayMaxSize, ArrayMinSize, IsArray, ValidateBy } from 'class-validator';
import { ID_PATTERN, type Party, USER_TYPES } from '../contract/identity.js';

const MAX_USERS = 100;

/** `presence:get`. */
export class PresenceGetDto {
  /** 1–100 people; the answer has their order. */
  @ValidateBy(
    {
      name: 'isParty',
      validator: {
        validate: isParty,
        defaultMessage: () => `each of users must be { id, type } with a type of ${USER_TYPES.join(', ')}`,
      },
    },
    { each: true },
  )
  @ArrayMaxSize(MAX_USERS)
  @ArrayMinSize(1)
  @IsArray()
  users!: Party[];
}

function isParty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, type } = value as Record<string, unknown>;
  return typeof id === 'string' && ID_PATTERN.test(id) && (USER_TYPES as readonly unknown[]).includes(type);
}
