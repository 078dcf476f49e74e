import type { Call } from './call.schema.js';
import type { CallTimes } from './call-times.js';

type TokenExpiries = Pick<Call, 'callerTokenExpiresAt' | 'calleeTokenExpiresAt' | 'tokensNotedUntil'>;

/** What is to be done about the tokens of an answered call next, and when. */
export type TokenDeadline = { kind: 'notice'; at: Date; expiresAt: Date } | { kind: 'lapse'; at: Date };

/**
 * A notice before the first token that runs out and was not noted yet; when there is none, the end of the call some time after the last one.
 * @param ttlMs how long a token lives
 */
export function tokenDeadline(
  { callerTokenExpiresAt, calleeTokenExpiresAt, tokensNotedUntil }: TokenExpiries,
  ttlMs: number,
  { tokenNoticeMs, mediaLapseMs }: CallTimes,
): TokenDeadline | undefined {
  const expiries = [callerTokenExpiresAt, calleeTokenExpiresAt].flatMap((date) => date?.getTime() ?? []);
  if (expiries.length === 0) return undefined;
  const notNoted = expiries.filter((expiry) => expiry > (tokensNotedUntil?.getTime() ?? 0));
  if (notNoted.length === 0) return { kind: 'lapse', at: new Date(Math.max(...expiries) + mediaLapseMs) };
  const first = Math.min(...notNoted);
  const at = new Date(first - Math.min(tokenNoticeMs, ttlMs / 2));
  return { kind: 'notice', at, expiresAt: new Date(first) };
}
