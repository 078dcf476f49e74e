import { Transform } from 'class-transformer';
import { IsMongoId, ValidateBy } from 'class-validator';
import { canonicalEmoji, isEmoji } from './emoji.js';
import { IsTextWithin, MAX_CONTENT_LENGTH } from '../messaging/text-length.js';

/** `dm:delete_message`. */
export class MessageDto {
  @IsMongoId()
  messageId!: string;
}

/** `dm:edit_message`. */
export class EditMessageDto extends MessageDto {
  /** May be empty when the message has a mediaUrl, which only the database knows. */
  @IsTextWithin(MAX_CONTENT_LENGTH)
  content!: string;
}

/** `dm:react`, `dm:unreact`. */
export class ReactionDto extends MessageDto {
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? canonicalEmoji(value) : value))
  @ValidateBy({
    name: 'isEmoji',
    validator: { validate: isEmoji, defaultMessage: () => 'emoji must be one emoji' },
  })
  emoji!: string;
}
