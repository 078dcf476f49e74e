import { resolve } from 'node:path';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { developmentSecret } from './development-secret.js';
import { Environment, signatureAlgorithmOf } from './environment.js';
import { hide } from './hidden.js';
import { productionFaults } from './production-faults.js';
import type { RateClass, RateLimit } from './rate-limits.js';
import { readServiceAccount, type ServiceAccount } from './service-account.js';

/** What the signatures of tokens are checked with. */
export type TokenKey =
  | { kind: 'secret'; secret: string }
  | { kind: 'public-key'; pem: string; algorithm: 'RS256' | 'ES256' }
  | { kind: 'jwks'; url: string };

/** The validated, frozen configuration, and the token under which it is injected. README has the table of keys. */
export abstract class AppConfig {
  abstract readonly isProduction: boolean;
  abstract readonly logLevel: Environment['LOG_LEVEL'];
  abstract readonly http: {
    readonly host: string;
    readonly port: number;
    readonly corsOrigins: readonly string[];
    /** Our own proxies in front: how many hops, or their addresses; 0: none, and what they would say is not believed. */
    readonly trustedProxies: number | readonly string[];
  };
  /** `uri` is absent in development when no MongoDB is given; the embedded server then keeps its data under `dataDir`. */
  abstract readonly database: { readonly uri?: string; readonly dataDir: string };
  abstract readonly auth: {
    readonly tokenKey: TokenKey;
    readonly issuer?: string;
    readonly audience?: string;
    readonly adminKey?: string;
    /** How long events are taken after a token's expiry, in milliseconds. */
    readonly expiryGraceMs: number;
  };
  abstract readonly realtime: {
    /** How much may wait for a connection whose client does not read it. */
    readonly slowConsumerLimitBytes: number;
  };
  abstract readonly limits: {
    readonly isOn: boolean;
    readonly rates: Readonly<Record<RateClass, RateLimit>>;
    /** So many connections of one identity; of one more the oldest goes. */
    readonly socketsPerIdentity: number;
    /** The same for the shared admin, who is many people. */
    readonly socketsOfSharedAdmin: number;
  };
  /** Absent: this node is the only one, and what nodes share is kept in its memory. */
  abstract readonly redis: { readonly url?: string };
  abstract readonly directMessage: {
    readonly echoToSender: boolean;
    /** How long after sending a message its sender may edit it, in milliseconds. */
    readonly editWindowMs: number;
  };
  abstract readonly agora: {
    /** Absent: tokens are made with placeholders while developing, and not at all in production. */
    readonly credentials?: { readonly appId: string; readonly appCertificate: string };
    /** How long a token is valid, in milliseconds; whole seconds. */
    readonly tokenTtlMs: number;
  };
  abstract readonly call: {
    /** How long a call rings, in milliseconds. */
    readonly ringTimeoutMs: number;
  };
  /** Pushes are dropped when both are absent. */
  abstract readonly push: {
    readonly serviceAccount?: ServiceAccount;
    /** For tests: a plain HTTP server of this machine that answers in the place of Firebase. */
    readonly fcmUrl?: string;
  };
}

/** One line for each key at fault, with the reason and never the value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly faults: readonly string[]) {
    super(`The configuration is not valid:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  }
}

/**
 * Makes the configuration of environment variables; an empty variable counts as absent. In development without a key it makes
 * DATA_DIR and a secret in it.
 * @throws ConfigError naming every fault at once
 */
export function parseConfig(variables: Record<string, unknown>): AppConfig {
  const environment = plainToInstance(Environment, withoutEmpty(variables), { exposeDefaultValues: true });
  const faults = [...fieldFaults(environment), ...keySourceFaults(environment), ...agoraFaults(environment)];
  if (environment.NODE_ENV === 'production') faults.push(...productionFaults(environment));
  if (faults.length > 0) throw new ConfigError(faults);

  const dataDir = resolve(environment.DATA_DIR);
  return deepFreeze({
    isProduction: environment.NODE_ENV === 'production',
    logLevel: environment.LOG_LEVEL,
    http: {
      host: environment.HOST,
      port: environment.PORT,
      corsOrigins: environment.CORS_ORIGINS,
      trustedProxies: environment.TRUST_PROXY,
    },
    database: hide({ uri: environment.MONGODB_URI, dataDir }, 'uri'),
    auth: hide(
      {
        tokenKey: tokenKeyOf(environment, dataDir),
        issuer: environment.JWT_ISSUER,
        audience: environment.JWT_AUDIENCE,
        adminKey: environment.ADMIN_SECRET_KEY,
        expiryGraceMs: environment.AUTH_EXPIRY_GRACE_SECONDS * 1000,
      },
      'adminKey',
    ),
    realtime: { slowConsumerLimitBytes: environment.SLOW_CONSUMER_LIMIT_BYTES },
    limits: limitsOf(environment),
    redis: hide({ url: environment.REDIS_URL }, 'url'),
    directMessage: {
      echoToSender: environment.DM_ECHO_TO_SENDER,
      editWindowMs: environment.DM_EDIT_WINDOW_SECONDS * 1000,
    },
    agora: {
      credentials: agoraCredentialsOf(environment),
      tokenTtlMs: environment.AGORA_TOKEN_TTL_SECONDS * 1000,
    },
    call: { ringTimeoutMs: environment.CALL_RING_TIMEOUT_SECONDS * 1000 },
    push: {
      serviceAccount: serviceAccountOf(environment),
      fcmUrl: environment.FCM_URL,
    },
  });
}

function isBlank(value: unknown): boolean {
  return typeof value === 'string' && value.trim() === '';
}

/** Drops empty variables: compose files and shells pass an unset one as an empty string. */
function withoutEmpty(variables: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => !isBlank(value)));
}

function fieldFaults(environment: Environment): string[] {
  return validateSync(environment, { stopAtFirstError: true }).map(
    ({ property, constraints }) => `${property}: ${Object.values(constraints ?? {})[0] ?? 'is not valid'}`,
  );
}

/** Two sources would mean that a token refused by one could be let in by the other. */
function keySourceFaults({ JWT_SECRET, JWT_PUBLIC_KEY, JWKS_URL }: Environment): string[] {
  const given = Object.entries({ JWT_SECRET, JWT_PUBLIC_KEY, JWKS_URL }).filter(
    ([, value]) => value !== undefined,
  );
  return given.length > 1 ? [`${given.map(([key]) => key).join(', ')}: only one of them may be set`] : [];
}

/** Half a pair is a mistake, which placeholders or refusals would only hide. */
function agoraFaults({ AGORA_APP_ID: id, AGORA_APP_CERTIFICATE: certificate }: Environment): string[] {
  if ((id === undefined) === (certificate === undefined)) return [];
  const [given, missing] =
    id === undefined ? ['AGORA_APP_CERTIFICATE', 'AGORA_APP_ID'] : ['AGORA_APP_ID', 'AGORA_APP_CERTIFICATE'];
  return [`${missing}: is required when ${given} is set`];
}

function agoraCredentialsOf(environment: Environment): AppConfig['agora']['credentials'] {
  const { AGORA_APP_ID: appId, AGORA_APP_CERTIFICATE: appCertificate } = environment;
  if (appId === undefined || appCertificate === undefined) return undefined;
  return hide({ appId, appCertificate }, 'appCertificate');
}

function serviceAccountOf({ FIREBASE_SERVICE_ACCOUNT: text }: Environment): ServiceAccount | undefined {
  const account = readServiceAccount(text ?? '');
  return account && hide(account, 'privateKey');
}

function limitsOf(environment: Environment): AppConfig['limits'] {
  return {
    isOn: environment.RATE_LIMITS === 'on',
    rates: {
      message: environment.RATE_LIMIT_MESSAGES,
      typing: environment.RATE_LIMIT_TYPING,
      reaction: environment.RATE_LIMIT_REACTIONS,
      ring: environment.RATE_LIMIT_CALLS,
      join: environment.RATE_LIMIT_JOINS,
      other: environment.RATE_LIMIT_OTHERS,
      handshake: environment.RATE_LIMIT_HANDSHAKES,
      session: environment.RATE_LIMIT_SESSIONS,
      failedLogin: environment.RATE_LIMIT_FAILED_LOGINS,
    },
    socketsPerIdentity: environment.MAX_SOCKETS_PER_IDENTITY,
    socketsOfSharedAdmin: environment.MAX_SOCKETS_OF_SHARED_ADMIN,
  };
}

function tokenKeyOf(environment: Environment, dataDir: string): TokenKey {
  const { JWT_PUBLIC_KEY: pem, JWKS_URL: url, JWT_SECRET: secret } = environment;
  const algorithm = pem === undefined ? undefined : signatureAlgorithmOf(pem);
  if (pem !== undefined && algorithm !== undefined) return { kind: 'public-key', pem, algorithm };
  if (url !== undefined) return hide({ kind: 'jwks', url }, 'url');
  return hide({ kind: 'secret', secret: secret ?? secretIn(dataDir) }, 'secret');
}

function secretIn(dataDir: string): string {
  try {
    return developmentSecret(dataDir);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ConfigError([
      `DATA_DIR: ${code === undefined ? message : `cannot be made or written (${code})`}`,
    ]);
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value))
    if (typeof child === 'object' && child !== null) deepFreeze(child as object);
  return Object.freeze(value);
}
