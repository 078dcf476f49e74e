import { Transform } from 'class-transformer';
import { IsInt, IsMongoId, IsOptional, Matches, Max, Min } from 'class-validator';
import { StreamDto } from './live.dto.js';

const MAX_GIFT_VALUE = 1_000_000;
const MAX_PAGE_LIMIT = 100;

/** Characters are code points: an emoji is one. Broken halves of them are none. */
const COMMENT = /^(?=.*\S)[^\p{Cs}]{1,200}$/su;
const GIFT_TYPE = /^(?=.*\S)[^\p{Cc}\p{Cs}]{1,64}$/u;
const REACTION_TYPE = /^(?=.*\S)[^\p{Cc}\p{Cs}]{1,32}$/u;
const CLIENT_GIFT_ID = /^[^\p{Cs}]{1,128}$/su;

/** `live:comment` (contract §5). */
export class CommentDto extends StreamDto {
  @Transform(({ value }: { value: unknown }) => withoutControls(value))
  @Matches(COMMENT, { message: 'message must be a text of 1 to 200 characters that is not blank' })
  message!: string;
}

/** `live:comments`. */
export class CommentsDto extends StreamDto {
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

/** `live:gift`. */
export class GiftDto extends StreamDto {
  @Matches(GIFT_TYPE, { message: 'giftType must be a text of 1 to 64 characters, none a control character' })
  giftType!: string;

  @IsInt()
  @Min(0)
  @Max(MAX_GIFT_VALUE)
  giftValue!: number;

  /** Makes a retry safe: unique per sender and stream. */
  @IsOptional()
  @Matches(CLIENT_GIFT_ID, { message: 'clientGiftId must be a well-formed text of 1 to 128 characters' })
  clientGiftId?: string | null;
}

/** `live:reaction`. */
export class ReactionDto extends StreamDto {
  @IsOptional()
  @Matches(REACTION_TYPE, {
    message: 'reactionType must be a text of 1 to 32 characters, none a control character',
  })
  reactionType?: string | null;
}

/** The rest stays as it was typed. */
function withoutControls(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll(/\p{Cc}/gu, '') : value;
}
