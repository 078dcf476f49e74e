import { IsIn, IsOptional, IsString, Length, Matches } from 'class-validator';
import { ID_PATTERN, USER_TYPES, type UserType } from '../contract/identity.js';

const MAX_TOKEN_LENGTH = 8192;
const MAX_REASON_LENGTH = 200;

/** `auth:refresh`. */
export class RefreshDto {
  @IsString()
  @Length(1, MAX_TOKEN_LENGTH)
  token!: string;
}

/** `admin:disconnect`. */
export class DisconnectDto {
  @IsString()
  @Matches(ID_PATTERN, { message: 'userId must be 1 to 64 printable characters without spaces' })
  userId!: string;

  @IsIn(USER_TYPES)
  userType!: UserType;

  @IsOptional()
  @IsString()
  @Length(0, MAX_REASON_LENGTH)
  reason?: string | null;
}
