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
import { IsClientMessageId } from '../messaging/client-message-id.js';
import { MAX_CONVERSATION_ID_LENGTH } from '../messaging/conversation.dto.js';
import { isWithin, MAX_CONTENT_LENGTH } from '../messaging/text-length.js';

const MAX_URL_LENGTH = 2048;
const MAX_DURATION_SECONDS = 86_400;
/** What the server itself says, it says under ids of its own. */
export const CALL_LOG_ID_PREFIX = 'call_log:';
const WEB_URL = { protocols: ['http', 'https'], require_protocol: true, require_tld: false };

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
  @IsClientMessageId(CALL_LOG_ID_PREFIX)
  clientMessageId?: string | null;
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
