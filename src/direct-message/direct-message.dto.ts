import { Transform } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsMongoId,
  IsNumber,
  IsOptional,
  IsString,
  IsUrl,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  type ValidationArguments,
} from 'class-validator';
import { CLIENT_MESSAGE_TYPES, type ClientMessageType } from '../contract/direct-message.js';
import { ID_PATTERN, USER_TYPES, type UserType } from '../contract/identity.js';
import { isWithin, MAX_CONTENT_LENGTH } from './text-length.js';

/** Two escaped ids of 64 characters fit, and the ids that earlier backends made. */
const MAX_CONVERSATION_ID_LENGTH = 512;
const MAX_URL_LENGTH = 2048;
const MAX_CLIENT_MESSAGE_ID_LENGTH = 128;
const MAX_DURATION_SECONDS = 86_400;
const MAX_HISTORY_LIMIT = 100;
export const MAX_SEQ = 2 ** 31 - 1;
/** What the server itself says, it says under ids of its own. */
export const CALL_LOG_ID_PREFIX = 'call_log:';
const OWN_ID = new RegExp(`^(?!${CALL_LOG_ID_PREFIX})`);
/** Two texts that differ only in broken halves of characters would be stored as one. */
const WELL_FORMED = /^[^\p{Cs}]*$/u;
const WEB_URL = { protocols: ['http', 'https'], require_protocol: true, require_tld: false };

/** `dm:join_conversation`, `dm:leave_conversation`. */
export class ConversationDto {
  @IsString()
  @Length(1, MAX_CONVERSATION_ID_LENGTH)
  conversationId!: string;
}

/** `dm:send_message` (contract §3). */
export class SendMessageDto {
  @IsOptional()
  @IsString()
  @Length(1, MAX_CONVERSATION_ID_LENGTH)
  conversationId?: string | null;

  @IsString()
  @Matches(ID_PATTERN, { message: 'recipientId must be 1 to 64 printable characters without spaces' })
  recipientId!: string;

  @IsIn(USER_TYPES)
  recipientType!: UserType;

  /** Text, at most 4,000 characters; may be empty or left out when there is a mediaUrl. */
  @IsContent()
  content?: string | null;

  @IsOptional()
  @IsIn(CLIENT_MESSAGE_TYPES)
  messageType?: ClientMessageType | null;

  @EmptyIsAbsent()
  @IsOptional()
  @IsUrl(WEB_URL)
  @MaxLength(MAX_URL_LENGTH)
  mediaUrl?: string | null;

  /** Bytes. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  mediaSize?: number | null;

  /** Seconds. */
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(MAX_DURATION_SECONDS)
  mediaDuration?: number | null;

  @EmptyIsAbsent()
  @IsOptional()
  @IsUrl(WEB_URL)
  @MaxLength(MAX_URL_LENGTH)
  thumbnailUrl?: string | null;

  /** A message of the same conversation. */
  @EmptyIsAbsent()
  @IsOptional()
  @IsMongoId()
  replyToId?: string | null;

  /** Makes a retry safe: unique per sender. */
  @IsOptional()
  @IsString()
  @Length(1, MAX_CLIENT_MESSAGE_ID_LENGTH)
  @Matches(WELL_FORMED, { message: 'clientMessageId must be well-formed text' })
  @Matches(OWN_ID, { message: `clientMessageId must not begin with ${CALL_LOG_ID_PREFIX}` })
  clientMessageId?: string | null;
}

/** `dm:history`: a page, or the messages before or after a seq, at most `limit`. */
export class HistoryDto extends ConversationDto {
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_SEQ)
  page?: number | null;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_HISTORY_LIMIT)
  limit?: number | null;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_SEQ)
  beforeSeq?: number | null;

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_SEQ)
  @ValidateBy({
    name: 'oneBound',
    validator: {
      validate: (_: unknown, args?: ValidationArguments) =>
        isAbsent(((args as ValidationArguments).object as HistoryDto).beforeSeq),
      defaultMessage: () => 'beforeSeq and afterSeq exclude each other',
    },
  })
  afterSeq?: number | null;
}

/** Some clients send an empty text where they have nothing. */
function EmptyIsAbsent(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (value === '' ? null : value));
}

function IsContent(): PropertyDecorator {
  return ValidateBy({
    name: 'isContent',
    validator: {
      validate: (content: unknown, args?: ValidationArguments) => {
        const { mediaUrl } = (args as ValidationArguments).object as SendMessageDto;
        if (isAbsent(content)) return !isAbsent(mediaUrl);
        if (typeof content !== 'string' || !isWithin(content, MAX_CONTENT_LENGTH)) return false;
        return !isAbsent(mediaUrl) || content.trim() !== '';
      },
      defaultMessage: () =>
        `content must be a text of 1 to ${MAX_CONTENT_LENGTH} characters; it may be empty when there is a mediaUrl`,
    },
  });
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
