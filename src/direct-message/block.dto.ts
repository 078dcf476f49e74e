import { IsIn, IsInt, IsMongoId, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { ID_PATTERN, USER_TYPES, type UserType } from '../contract/identity.js';

const MAX_BLOCKS_LIMIT = 100;

/** `dm:block`, `dm:unblock`. */
export class BlockDto {
  @IsString()
  @Matches(ID_PATTERN, { message: 'userId must be 1 to 64 printable characters without spaces' })
  userId!: string;

  @IsIn(USER_TYPES)
  userType!: UserType;
}

/** `dm:blocks`. */
export class BlocksDto {
  /** `nextCursor` of the page before. */
  @IsOptional()
  @IsString()
  @IsMongoId()
  cursor?: string | null;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_BLOCKS_LIMIT)
  limit?: number | null;
}
