import { ArrayMaxSize, ArrayMinSize, IsArray, ValidateBy } from 'class-validator';
import { isPartyShape, type Party, USER_TYPES } from '../contract/identity.js';

const MAX_USERS = 100;

/** `presence:get`. */
export class PresenceGetDto {
  /** 1–100 people; the answer has their order. */
  @ValidateBy(
    {
      name: 'isParty',
      validator: {
        validate: isPartyShape,
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
