import { IsIn, IsMongoId, IsOptional, IsString, Matches } from 'class-validator';
import { ID_PATTERN, USER_TYPES, type UserType } from '../contract/identity.js';
import { StreamDto } from './live.dto.js';

/** `live:mute`, `live:ban`, `live:unban` (contract §5). */
export class TargetDto extends StreamDto {
  @IsString()
  @Matches(ID_PATTERN, { message: 'userId must be 1 to 64 printable characters without spaces' })
  userId!: string;

  @IsIn(USER_TYPES)
  userType!: UserType;
}

/** `live:pin`. */
export class PinDto extends StreamDto {
  /** Absent: no comment stands above the others any more. */
  @IsOptional()
  @IsMongoId()
  commentId?: string | null;
}

/** `live:delete_comment`. */
export class DeleteCommentDto extends StreamDto {
  @IsMongoId()
  commentId!: string;
}
