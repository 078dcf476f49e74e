import {
  IsInt,
  IsOptional,
  IsString,
  Length,
  Max,
  Min,
  ValidateBy,
  type ValidationArguments,
} from 'class-validator';

/** Two escaped ids of 64 characters fit, and the ids that earlier backends made. */
export const MAX_CONVERSATION_ID_LENGTH = 512;
export const MAX_SEQ = 2 ** 31 - 1;
const MAX_HISTORY_LIMIT = 100;

/** What is about a conversation, of whichever kind. */
export class ConversationDto {
  @IsString()
  @Length(1, MAX_CONVERSATION_ID_LENGTH)
  conversationId!: string;
}

/** A history: a page, or the messages before or after a seq, at most `limit`. */
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
        (((args as ValidationArguments).object as HistoryDto).beforeSeq ?? null) === null,
      defaultMessage: () => 'beforeSeq and afterSeq exclude each other',
    },
  })
  afterSeq?: number | null;
}
