/** So many events in so many seconds on average, and `burst` of them at once. */
export interface RateLimit {
  points: number;
  seconds: number;
  burst: number;
}

interface RateLimitRule extends RateLimit {
  /** The environment variable that replaces the figures. */
  variable: string;
  /** Whose events are counted together. */
  per: 'identity' | 'address';
  /** What is too much is answered RATE_LIMITED, or, worth nothing when it is late, dropped with an ordinary answer. */
  excess: 'refused' | 'dropped';
  protects: string;
}

/** Every rate limit (contract §9); `limits/event-classes.ts` says which event is of which class. */
export const RATE_LIMITS = {
  message: {
    variable: 'RATE_LIMIT_MESSAGES',
    per: 'identity',
    points: 10,
    seconds: 1,
    burst: 30,
    excess: 'refused',
    protects: 'conversations from floods, and the database from their writes',
  },
  typing: {
    variable: 'RATE_LIMIT_TYPING',
    per: 'identity',
    points: 5,
    seconds: 1,
    burst: 5,
    excess: 'dropped',
    protects: 'the others from a broadcast for every key',
  },
  reaction: {
    variable: 'RATE_LIMIT_REACTIONS',
    per: 'identity',
    points: 10,
    seconds: 1,
    burst: 10,
    excess: 'dropped',
    protects: "a stream's viewers from one who holds the button",
  },
  ring: {
    variable: 'RATE_LIMIT_CALLS',
    per: 'identity',
    points: 10,
    seconds: 60,
    burst: 10,
    excess: 'refused',
    protects: 'people from phones that ring again and again',
  },
  join: {
    variable: 'RATE_LIMIT_JOINS',
    per: 'identity',
    points: 20,
    seconds: 1,
    burst: 100,
    excess: 'refused',
    protects: 'the database from lookups; a dashboard joins all of its conversations at once',
  },
  other: {
    variable: 'RATE_LIMIT_OTHERS',
    per: 'identity',
    points: 20,
    seconds: 1,
    burst: 60,
    excess: 'refused',
    protects: 'the server from everything else',
  },
  handshake: {
    variable: 'RATE_LIMIT_HANDSHAKES',
    per: 'address',
    points: 20,
    seconds: 1,
    burst: 100,
    excess: 'refused',
    protects: 'the checking of tokens from storms of connections',
  },
  session: {
    variable: 'RATE_LIMIT_SESSIONS',
    per: 'address',
    points: 40,
    seconds: 1,
    burst: 200,
    excess: 'refused',
    protects: 'the memory from connections that never ask to be let in',
  },
  failedLogin: {
    variable: 'RATE_LIMIT_FAILED_LOGINS',
    per: 'address',
    points: 10,
    seconds: 60,
    burst: 10,
    excess: 'refused',
    protects: 'the admin key from being guessed',
  },
} as const satisfies Record<string, RateLimitRule>;

export type RateClass = keyof typeof RATE_LIMITS;

/**
 * The time for which points are counted, in seconds: a full burst, and then as long as it takes to earn one. So nobody exceeds the rate over
 * any longer time; about the end of a window twice the burst may pass.
 */
export function windowSecondsOf({ points, seconds, burst }: RateLimit): number {
  return (seconds * burst) / points;
}

/** Reads `points/seconds/burst`, such as `10/1/30`, or `points/seconds`; undefined when it is neither, or makes no window of whole seconds. */
export function readRateLimit(text: string): RateLimit | undefined {
  const figures = /^(\d{1,6})\/(\d{1,5})(?:\/(\d{1,6}))?$/.exec(text.trim());
  if (figures === null) return undefined;
  const [points = 0, seconds = 0, burst = points] = figures
    .slice(1)
    .flatMap((figure) => figure ?? [])
    .map(Number);
  const limit = { points, seconds, burst };
  const isMeaningful =
    points > 0 && seconds > 0 && burst >= points && Number.isInteger(windowSecondsOf(limit));
  return isMeaningful ? limit : undefined;
}
