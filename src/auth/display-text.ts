/** UTF-16 units; longer texts are cut. */
const MAX_NAME_LENGTH = 100;
const MAX_AVATAR_LENGTH = 2048;

/** A person's name from a token or a document: without control characters, bounded; undefined when there is none. */
export function displayName(value: unknown): string | undefined {
  return displayText(value, MAX_NAME_LENGTH);
}

/** The address of a person's picture, in the same way. */
export function avatarUrl(value: unknown): string | undefined {
  return displayText(value, MAX_AVATAR_LENGTH);
}

function displayText(value: unknown, maxLength: number): string | undefined {
  if (typeof value !== 'string') return undefined;
  const clean = value
    .slice(0, maxLength)
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, '')
    .trim();
  return clean === '' ? undefined : clean;
}
