import { randomBytes } from 'node:crypto';

/** Agora's rules: under 64 bytes, of these characters alone. All of them are ASCII, so that bytes are characters. */
const CHANNEL_NAME = /^[a-zA-Z0-9 !#$%&()+\-:;<=>?@[\]^_{}|~,.]{1,63}$/;

/** Begins the names of streams' channels, so that no client can name a call's like one, before or after. */
export const RESERVED_PREFIX = 'live-';

/** Whether Agora takes `text` as the name of a channel. */
export function isChannelName(text: string): boolean {
  return CHANNEL_NAME.test(text);
}

/** The server's own: 128 random bits, so that nobody guesses it and none comes twice. */
export function newChannelName(): string {
  return randomBytes(16).toString('hex');
}

/** The same for a stream: no client can have named a call's channel so. */
export function newLiveChannelName(): string {
  return `${RESERVED_PREFIX}${newChannelName()}`;
}
