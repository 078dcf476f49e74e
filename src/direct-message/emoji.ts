/** UTF-16 units; the longest emoji in use have about half as many. */
const MAX_EMOJI_LENGTH = 64;

/** Asks for the coloured picture of a character that is also one of text. */
const AS_PICTURE = '\uFE0F';

/**
 * The shape of one emoji, whether or not it is known yet (Unicode's UTS #51, 1.4.9): a flag, a key, or pictures, with skin tone, tags or
 * variation, that are joined into one. What has this shape is one grapheme cluster.
 */
const FLAG = String.raw`\p{Regional_Indicator}{2}`;
const KEY = String.raw`[0-9#*]\uFE0F\u20E3`;
const VARIATION = String.raw`\p{Emoji_Modifier}|\uFE0F|[\u{E0020}-\u{E007E}]+\u{E007F}`;
const PICTURE = String.raw`\p{Extended_Pictographic}(?:${VARIATION})?`;
const EMOJI = new RegExp(String.raw`^(?:${FLAG}|${KEY}|${PICTURE}(?:\u200D${PICTURE})*)$`, 'u');

export function isEmoji(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_EMOJI_LENGTH && EMOJI.test(value);
}

/** One spelling of an emoji: keyboards differ in whether they add the sign for “as a picture”, which nobody sees. */
export function canonicalEmoji(text: string): string {
  const key = /^([0-9#*])\uFE0F?\u20E3$/u.exec(text)?.[1];
  if (key !== undefined) return `${key}${AS_PICTURE}\u20E3`;
  if (/^\p{Emoji_Presentation}\uFE0F$/u.test(text)) return text.slice(0, -1);
  if (/^\p{Extended_Pictographic}$/u.test(text) && !/^\p{Emoji_Presentation}$/u.test(text))
    return `${text}${AS_PICTURE}`;
  return text;
}
