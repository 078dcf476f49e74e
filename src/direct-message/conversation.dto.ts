import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateIf,
} from 'class-validator';
import { ID_PATTERN, USER_TYPES, type UserType } from '../contract/identity.js';
import { ConversationDto, MAX_SEQ } from '../messaging/conversation.dto.js';

const MAX_MESSAGE_IDS = 500;
const MAX_MESSAGE_ID_LENGTH = 64;

/** `dm:open`. */
export class OpenConversationDto {
  @IsString()
  @Matches(ID_PATTERN, { message: 'recipientId must be 1 to 64 printable characters without spaces' })
  recipientId!: string;

  @IsIn(USER_TYPES)
  recipientType!: UserType;
}

/** `dm:mark_read`: up to a seq, or up to the newest of these messages. */
export class MarkReadDto extends ConversationDto {
  /** Those that are not of this conversation, or one's own, are passed over. Not needed with `upToSeq`. */
  @ValidateIf(
    ({ messageIds, upToSeq }: MarkReadDto) =>
      (messageIds ?? upToSeq ?? null) === null || (messageIds ?? null) !== null,
  )
  @IsArray()
  @ArrayMaxSize(MAX_MESSAGE_IDS)
  @IsString({ each: true })
  @Length(1, MAX_MESSAGE_ID_LENGTH, { each: true })
  messageIds?: string[] | null;

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_SEQ)
  upToSeq?: number | null;
}

/** `dm:mark_delivered`. */
export class MarkDeliveredDto extends ConversationDto {
  @IsInt()
  @Min(0)
  @Max(MAX_SEQ)
  upToSeq!: number;
}
