import { ValidateBy } from 'class-validator';

/** Characters of a message. */
export const MAX_CONTENT_LENGTH = 4000;

/** Characters are code points: an emoji is one. */
export function isWithin(text: string, limit: number): boolean {
  return text.length <= limit || (text.length <= 2 * limit && Array.from(text).length <= limit);
}

/** A text of at most so many characters. */
export function IsTextWithin(limit: number): PropertyDecorator {
  return ValidateBy({
    name: 'isTextWithin',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && isWithin(value, limit),
      defaultMessage: () => `$property must be a text of at most ${limit} characters`,
    },
  });
}
