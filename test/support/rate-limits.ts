import type { Ack } from '../../src/contract/ack.js';
import type { TestClient } from './client.js';

/** What the limits of these tests let through at once, in a window of so many seconds. */
export const BURST = 3;
export const SECONDS = 5;
export const LIMIT = `${BURST}/${SECONDS}`;
export const SMALL_LIMITS = {
  RATE_LIMITS: 'on',
  RATE_LIMIT_MESSAGES: LIMIT,
  RATE_LIMIT_TYPING: LIMIT,
  RATE_LIMIT_REACTIONS: LIMIT,
  RATE_LIMIT_CALLS: LIMIT,
  RATE_LIMIT_JOINS: LIMIT,
  RATE_LIMIT_OTHERS: LIMIT,
};

export const isRefused = (ack: Ack): boolean => !ack.ok && ack.error.code === 'RATE_LIMITED';

/** How long the refusal says to wait; fails when there is none. */
export function retryAfter(ack: Ack): number {
  expect(ack).toMatchObject({
    ok: false,
    error: { code: 'RATE_LIMITED', retryable: true, details: { retryAfterMs: expect.any(Number) } },
  });
  return ack.ok ? 0 : (ack.error.details as { retryAfterMs: number }).retryAfterMs;
}

/** The answers to the same request, sent so often at once. */
export function sendMany(client: TestClient, times: number, event: string, payload: object): Promise<Ack[]> {
  return Promise.all(Array.from({ length: times }, () => client.send(event, payload)));
}
