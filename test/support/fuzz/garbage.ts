import type { Random } from '../soak/random.js';
import type { KnownEvent } from './known-events.js';

const MAX_DEPTH = 4;
const LONG = 20_000;
/** Deeper than a stack is high, and still less than a frame may hold. */
const VERY_DEEP = 8000;
const MAX_FIELDS = 6;

/** Values that break what is not careful: operators, prototypes, numbers at their ends, texts that are no texts. */
const NASTY: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  2 ** 53,
  0.1,
  '',
  ' ',
  '\0',
  '\ud800',
  '%5F_%25',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '$where',
  '🙏'.repeat(50),
  { $ne: null },
  { $gt: '' },
  { $where: 'sleep(1000)' },
  { toString: null, valueOf: null },
  { length: 1e9 },
  JSON.parse('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{}}}'),
  [],
  [[]],
  [{ id: { $ne: 1 }, type: 'user' }],
];

/** Values of the right kind, some of which name things that exist and are of others. */
function plausible(random: Random, secrets: readonly string[]): unknown {
  return random.pick<() => unknown>([
    () => random.pick(secrets),
    () => random.pick(['user', 'astrologer', 'admin', 'ghost']),
    () => random.pick(['voice', 'video', 'text', 'image', 'heart', 'ios', 'android']),
    () => random.below(1000),
    () => `mallory${random.below(50)}`,
    () =>
      random
        .below(2 ** 31)
        .toString(16)
        .padStart(24, '0'),
    () => 'Namaste',
    () => `https://img.example/${random.below(100)}.png`,
  ])();
}

/** Anything. */
export function garbage(random: Random, depth = 0): unknown {
  if (depth >= MAX_DEPTH || random.chance(0.6)) return random.pick(NASTY);
  return random.pick<() => unknown>([
    () => 'x'.repeat(random.below(LONG)),
    () => Array.from({ length: random.below(8) }, () => garbage(random, depth + 1)),
    () =>
      Object.fromEntries(
        Array.from({ length: random.below(8) }, () => [
          String(random.pick(NASTY)),
          garbage(random, depth + 1),
        ]),
      ),
  ])();
}

/** Something deep, as text: encoding it would break the one who sends it. */
export function deepText(): string {
  return `${'['.repeat(VERY_DEEP)}${']'.repeat(VERY_DEEP)}`;
}

/**
 * A payload for an event, more or less like one.
 * @param secrets ids of what belongs to others
 */
export function payloadFor({ fields }: KnownEvent, random: Random, secrets: readonly string[]): unknown {
  if (random.chance(0.2)) return garbage(random);
  const chosen = fields
    .filter(() => random.chance(0.8))
    .slice(0, random.chance(0.2) ? MAX_FIELDS : undefined);
  return Object.fromEntries(
    chosen.map((field) => [field, random.chance(0.7) ? plausible(random, secrets) : garbage(random)]),
  );
}
