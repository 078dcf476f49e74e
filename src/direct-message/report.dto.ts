import { ValidateBy } from 'class-validator';
import { MessageDto } from './message-actions.dto.js';
import { IsTextWithin } from '../messaging/text-length.js';

const MAX_REASON_LENGTH = 1000;

/** `dm:report`. */
export class ReportDto extends MessageDto {
  @ValidateBy({
    name: 'isNotBlank',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && value.trim() !== '',
      defaultMessage: () => 'reason must not be blank',
    },
  })
  @IsTextWithin(MAX_REASON_LENGTH)
  reason!: string;
}
