import {
  IsIn,
  IsInt,
  IsMongoId,
  IsNumber,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { CALL_TYPES, type CallType } from '../contract/call.js';
import { ID_PATTERN, USER_TYPES, type UserType } from '../contract/identity.js';

const MAX_REASON_LENGTH = 100;
/** Agora's own bound is lower; the service says so. */
const MAX_CHANNEL_NAME_LENGTH = 128;
const MAX_PAGE_LIMIT = 100;
/** No controls and no broken characters: the other party's device may show it. */
const DISPLAYABLE = /^[^\p{Cc}\p{Cs}]*$/u;

/** `call:initiate` (contract §4). */
export class InitiateCallDto {
  @IsString()
  @Matches(ID_PATTERN, { message: 'recipientId must be 1 to 64 printable characters without spaces' })
  recipientId!: string;

  @IsIn(USER_TYPES)
  recipientType!: UserType;

  @IsIn(CALL_TYPES)
  callType!: CallType;

  @IsOptional()
  @IsString()
  @Length(1, MAX_CHANNEL_NAME_LENGTH)
  channelName?: string | null;
}

/** `call:accept`, `call:connected`. */
export class CallDto {
  @IsMongoId()
  callId!: string;
}

/** `call:reject`, `call:end`. A `duration` is dropped like every unknown field: the server computes it. */
export class EndCallDto extends CallDto {
  @IsOptional()
  @IsString()
  @MaxLength(MAX_REASON_LENGTH)
  @Matches(DISPLAYABLE, { message: 'reason must be text without control characters' })
  reason?: string | null;
}

/** `call`. */
export class QueuedCallActionDto extends EndCallDto {
  /** Says that the call was ended; its value says nothing. */
  @IsOptional()
  @IsNumber()
  duration?: number | null;
}

/** `call:token`. */
export class CallTokenDto extends CallDto {
  /** The call's own, if given. */
  @IsOptional()
  @IsString()
  @Length(1, MAX_CHANNEL_NAME_LENGTH)
  channelName?: string | null;
}

/** `call:state`. */
export class CallStateDto {
  /** One's active call by default. */
  @IsOptional()
  @IsMongoId()
  callId?: string | null;
}

/** `call:history`. */
export class CallHistoryDto {
  /** `nextCursor` of the page before. */
  @IsOptional()
  @IsMongoId()
  cursor?: string | null;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE_LIMIT)
  limit?: number | null;
}
