import { applyDecorators } from '@nestjs/common';
import { IsOptional, IsString, Length, Matches } from 'class-validator';

const MAX_LENGTH = 128;
/** Two texts that differ only in broken halves of characters would be stored as one. */
const WELL_FORMED = /^[^\p{Cs}]*$/u;

/** An optional `clientMessageId` that a client chose. @param ownPrefix what the server itself says, it says under ids that begin so */
export function IsClientMessageId(ownPrefix: string): PropertyDecorator {
  return applyDecorators(
    IsOptional(),
    IsString(),
    Length(1, MAX_LENGTH),
    Matches(WELL_FORMED, { message: '$property must be well-formed text' }),
    Matches(new RegExp(`^(?!${ownPrefix})`), { message: `$property must not begin with ${ownPrefix}` }),
  );
}
