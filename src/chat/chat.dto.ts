import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  ValidateBy,
} from 'class-validator';
import { CLIENT_MESSAGE_TYPES, type ClientMessageType } from '../contract/direct-message.js';
import { ID_PATTERN, isPartyShape, type Party, USER_TYPES, type UserType } from '../contract/identity.js';
import { IsClientMessageId } from '../messaging/client-message-id.js';
import { ConversationDto, MAX_SEQ } from '../messaging/conversation.dto.js';
import { IsTextWithin, MAX_CONTENT_LENGTH } from '../messaging/text-length.js';

/** So many fit into a frame with room to spare; more are added one by one. */
const MAX_FIRST_MEMBERS = 500;
const MAX_MEMBERS_LIMIT = 100;
const NOT_BLANK = /\S/u;
const TITLE = /^[^\p{Cc}\p{Cs}]{0,100}$/u;
/** What the server itself says, it says under ids of its own. */
export const SYSTEM_ID_PREFIX = 'system:';

/** `chat:message` (contract §6). */
export class ChatMessageDto extends ConversationDto {
  @IsTextWithin(MAX_CONTENT_LENGTH)
  @Matches(NOT_BLANK, { message: 'message must not be blank' })
  message!: string;

  @IsOptional()
  @IsIn(CLIENT_MESSAGE_TYPES)
  messageType?: ClientMessageType | null;

  /** Makes a retry safe: unique per sender. */
  @IsClientMessageId(SYSTEM_ID_PREFIX)
  clientMessageId?: string | null;
}

/** `chat:read`. */
export class ChatReadDto extends ConversationDto {
  @IsInt()
  @Min(0)
  @Max(MAX_SEQ)
  upToSeq!: number;
}

/** `chat:create`. */
export class CreateRoomDto {
  /** 1–500 people besides oneself; who is named twice is in it once. */
  @ValidateBy(
    {
      name: 'isParty',
      validator: {
        validate: isPartyShape,
        defaultMessage: () => `each of members must be { id, type } with a type of ${USER_TYPES.join(', ')}`,
      },
    },
    { each: true },
  )
  @ArrayMaxSize(MAX_FIRST_MEMBERS)
  @ArrayMinSize(1)
  @IsArray()
  members!: Party[];

  @IsOptional()
  @IsTitle()
  title?: string | null;

  /** Makes a retry safe: unique per creator. */
  @IsClientMessageId(SYSTEM_ID_PREFIX)
  clientRoomId?: string | null;
}

/** `chat:rename`; an empty title takes it away. */
export class RenameRoomDto extends ConversationDto {
  @IsTitle()
  title!: string;
}

/** `chat:add_member`, `chat:remove_member`. */
export class RoomMemberDto extends ConversationDto {
  @IsString()
  @Matches(ID_PATTERN, { message: 'userId must be 1 to 64 printable characters without spaces' })
  userId!: string;

  @IsIn(USER_TYPES)
  userType!: UserType;
}

/** `chat:mute`. */
export class MuteRoomDto extends ConversationDto {
  @IsBoolean()
  muted!: boolean;
}

/** `chat:members`. */
export class RoomMembersDto extends ConversationDto {
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_SEQ)
  page?: number | null;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_MEMBERS_LIMIT)
  limit?: number | null;
}

function IsTitle(): PropertyDecorator {
  return Matches(TITLE, {
    message: 'title must be a text of at most 100 characters, none a control character',
  });
}
