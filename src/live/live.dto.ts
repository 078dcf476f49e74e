import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsMongoId,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
} from 'class-validator';

const MAX_TITLE_LENGTH = 200;
const MAX_DESCRIPTION_LENGTH = 2000;
const MAX_CATEGORY_LENGTH = 100;
const MAX_TAGS = 20;
const MAX_TAG_LENGTH = 50;
const MAX_PAGE_LIMIT = 100;

/** `live:leave`, `live:end`, `live:token`, `live:heartbeat`, `live:like`, `live:unlike`. */
export class StreamDto {
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value))
  @IsMongoId()
  streamId!: string;
}

/** `live:start` (contract §5). */
export class StartStreamDto {
  @IsOptional()
  @IsString()
  @MaxLength(MAX_TITLE_LENGTH)
  title?: string | null;

  @IsOptional()
  @IsString()
  @MaxLength(MAX_DESCRIPTION_LENGTH)
  description?: string | null;

  @IsOptional()
  @IsString()
  @MaxLength(MAX_CATEGORY_LENGTH)
  category?: string | null;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_TAGS)
  @IsString({ each: true })
  @MaxLength(MAX_TAG_LENGTH, { each: true })
  tags?: string[] | null;
}

/** `live:join`. */
export class JoinStreamDto extends StreamDto {
  /** Honoured for the owner alone. */
  @IsOptional()
  @IsBoolean()
  isBroadcaster?: boolean | null;
}

/** `live:active`. */
export class ActiveStreamsDto {
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
