import { isIP } from 'node:net';
import { Transform, Type } from 'class-transformer';
import { IsIn, IsInt, Max, Min, ValidateBy } from 'class-validator';
import { RATE_LIMITS, type RateLimit, readRateLimit } from './rate-limits.js';

/** A number of hops, or a list; what cannot be read stays a text or a list, which is refused. */
const AsProxies = Transform(({ value }: { value: unknown }) =>
  typeof value === 'string'
    ? /^\d+$/.test(value.trim())
      ? Number(value)
      : value.split(',').map((entry) => entry.trim())
    : value,
);

const MAX_PROXIES = 10;
const PROXY_GROUPS = new Set(['loopback', 'linklocal', 'uniquelocal']);

function isAddressOrNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  const isPrefix =
    prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
  return version !== 0 && isPrefix && rest.length === 0;
}

const IsProxyList = () =>
  ValidateBy({
    name: 'isProxyList',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'number'
          ? value <= MAX_PROXIES
          : Array.isArray(value) &&
            value.every((entry: string) => PROXY_GROUPS.has(entry) || isAddressOrNetwork(entry)),
      defaultMessage: () =>
        'must be the number of proxies in front, 0 to 10, or their addresses such as 10.0.0.0/8, separated by commas',
    },
  });

/** What cannot be read stays a text, which is refused. */
const AsRateLimit = Transform(({ value }: { value: unknown }) =>
  typeof value === 'string' ? (readRateLimit(value) ?? value) : value,
);

const IsRateLimit = () =>
  ValidateBy({
    name: 'isRateLimit',
    validator: {
      validate: (value: unknown) => typeof value === 'object',
      defaultMessage: () =>
        'must be events/seconds/burst such as 10/1/30, where seconds × burst ÷ events is a whole number of seconds',
    },
  });

/** The variables that say how much is too much, and from where it comes; part of `Environment`. */
export class LimitEnvironment {
  @IsIn(['on', 'off'], { message: 'must be on or off' })
  RATE_LIMITS: 'on' | 'off' = 'on';

  @AsRateLimit
  @IsRateLimit()
  RATE_LIMIT_MESSAGES: RateLimit = RATE_LIMITS.message;

  @AsRateLimit
  @IsRateLimit()
  RATE_LIMIT_TYPING: RateLimit = RATE_LIMITS.typing;

  @AsRateLimit
  @IsRateLimit()
  RATE_LIMIT_REACTIONS: RateLimit = RATE_LIMITS.reaction;

  @AsRateLimit
  @IsRateLimit()
  RATE_LIMIT_CALLS: RateLimit = RATE_LIMITS.ring;

  @AsRateLimit
  @IsRateLimit()
  RATE_LIMIT_JOINS: RateLimit = RATE_LIMITS.join;

  @AsRateLimit
  @IsRateLimit()
  RATE_LIMIT_OTHERS: RateLimit = RATE_LIMITS.other;

  @AsRateLimit
  @IsRateLimit()
  RATE_LIMIT_HANDSHAKES: RateLimit = RATE_LIMITS.handshake;

  @AsRateLimit
  @IsRateLimit()
  RATE_LIMIT_SESSIONS: RateLimit = RATE_LIMITS.session;

  @AsRateLimit
  @IsRateLimit()
  RATE_LIMIT_FAILED_LOGINS: RateLimit = RATE_LIMITS.failedLogin;

  @Type(() => Number)
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be 1 to 100000' })
  @Max(100_000, { message: 'must be 1 to 100000' })
  MAX_SOCKETS_PER_IDENTITY: number = 10;

  @Type(() => Number)
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be 1 to 100000' })
  @Max(100_000, { message: 'must be 1 to 100000' })
  MAX_SOCKETS_OF_SHARED_ADMIN: number = 200;

  @AsProxies
  @IsProxyList()
  TRUST_PROXY: number | string[] = 0;
}
