import { IsInt, IsISO8601, IsOptional, IsString, Length, Max, Min } from 'class-validator';

const MAX_CURSOR_LENGTH = 1024;
const MAX_PAGE_LIMIT = 100;

/** A page of one's own conversations, of one kind. */
export class ConversationsDto {
  /** `nextCursor` of the page before. */
  @IsOptional()
  @IsString()
  @Length(1, MAX_CURSOR_LENGTH)
  cursor?: string | null;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE_LIMIT)
  limit?: number | null;

  /** ISO 8601: only conversations in which something changed then or later. */
  @IsOptional()
  @IsISO8601({ strict: true, strictSeparator: true })
  updatedAfter?: string | null;
}
