import 'reflect-metadata';
import { createPublicKey } from 'node:crypto';
import { Transform, Type } from 'class-transformer';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  IsUrl,
  Matches,
  Max,
  Min,
  ValidateBy,
} from 'class-validator';
import { mongo } from 'mongoose';
import { LimitEnvironment } from './limit-environment.js';
import { readServiceAccount } from './service-account.js';

const BOOLEAN_WORDS: Record<string, boolean> = { true: true, '1': true, false: false, '0': false };

const AsBoolean = Transform(({ value }: { value: unknown }) =>
  typeof value === 'string' ? (BOOLEAN_WORDS[value.toLowerCase()] ?? value) : value,
);

const AsList = Transform(({ value }: { value: unknown }) =>
  typeof value === 'string'
    ? value
        .split(',')
        .map((entry) => entry.trim())
        .filter(Boolean)
    : value,
);

/** RS256 wants RSA of at least 2,048 bits, ES256 the curve P-256. */
export function signatureAlgorithmOf(pem: string): 'RS256' | 'ES256' | undefined {
  // A private key contains its public one, but has no business on this server.
  if (pem.includes('PRIVATE KEY')) return undefined;
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048)
      return 'RS256';
    if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1')
      return 'ES256';
  } catch {
    // Not a key at all: the same answer.
  }
  return undefined;
}

const IsVerificationKey = () =>
  ValidateBy({
    name: 'isVerificationKey',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && signatureAlgorithmOf(value) !== undefined,
      defaultMessage: () => 'must be a PEM public key: RSA of at least 2048 bits, or EC P-256',
    },
  });

const IsRedisUrl = () =>
  ValidateBy({
    name: 'isRedisUrl',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'string' && /^rediss?:$/.test(URL.canParse(value) ? new URL(value).protocol : ''),
      defaultMessage: () => 'must be a redis:// or rediss:// URL',
    },
  });

/** The driver's own parser decides; its words may repeat a password, so they stay here. */
const IsMongoUri = () =>
  ValidateBy({
    name: 'isMongoUri',
    validator: {
      validate: (value: unknown) => {
        try {
          void new mongo.MongoClient(value as string);
          return true;
        } catch {
          return false;
        }
      },
      defaultMessage: () =>
        'must be a MongoDB connection string; special characters of a password are percent-encoded',
    },
  });

const IsOriginList = () =>
  ValidateBy({
    name: 'isOriginList',
    validator: {
      validate: (value: unknown) =>
        Array.isArray(value) &&
        value.every((entry) => URL.canParse(entry) && new URL(entry).origin === entry),
      defaultMessage: () => 'must be a comma-separated list of origins such as https://admin.example.com',
    },
  });

/** Agora's ids and certificates look the same. */
const IsAgoraKey = () => Matches(/^[0-9a-f]{32}$/i, { message: 'must be 32 hexadecimal characters' });

const IsServiceAccount = () =>
  ValidateBy({
    name: 'isServiceAccount',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && readServiceAccount(value) !== undefined,
      defaultMessage: () => 'must be the JSON of a Firebase service account, or the path of its file',
    },
  });

/** In plain text and without a certificate, so it must not leave the machine. */
const IsLoopbackUrl = () =>
  ValidateBy({
    name: 'isLoopbackUrl',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'string' && /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?\/?$/.test(value),
      defaultMessage: () => 'must be an http:// URL of this machine, such as http://127.0.0.1:9099',
    },
  });

/**
 * The environment variables as they come in, one field each; `config.ts` makes the typed configuration of them.
 * Messages say what is wanted and never repeat the value: it may be a secret.
 */
export class Environment extends LimitEnvironment {
  @IsIn(['development', 'test', 'production'], { message: 'must be development, test or production' })
  NODE_ENV: 'development' | 'test' | 'production' = 'development';

  @Matches(/^[\w.:-]+$/, { message: 'must be an address to listen on, such as 0.0.0.0' })
  HOST: string = '0.0.0.0';

  @Type(() => Number)
  @IsInt({ message: 'must be a whole number' })
  @Min(0, { message: 'must be 0 to 65535' })
  @Max(65_535, { message: 'must be 0 to 65535' })
  PORT: number = 3000;

  @IsIn(['error', 'warn', 'log', 'debug'], { message: 'must be error, warn, log or debug' })
  LOG_LEVEL: 'error' | 'warn' | 'log' | 'debug' = 'log';

  @AsList
  @IsOriginList()
  CORS_ORIGINS: string[] = [];

  @IsOptional()
  @IsMongoUri()
  MONGODB_URI?: string;

  @IsString()
  DATA_DIR: string = '.data';

  @IsOptional()
  @IsRedisUrl()
  REDIS_URL?: string;

  @IsOptional()
  @IsString()
  JWT_SECRET?: string;

  @IsOptional()
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? value.replaceAll('\\n', '\n') : value,
  )
  @IsVerificationKey()
  JWT_PUBLIC_KEY?: string;

  @IsOptional()
  @IsUrl(
    { protocols: ['http', 'https'], require_protocol: true, require_tld: false },
    { message: 'must be an http(s) URL' },
  )
  JWKS_URL?: string;

  @IsOptional()
  @IsString()
  JWT_ISSUER?: string;

  @IsOptional()
  @IsString()
  JWT_AUDIENCE?: string;

  @IsOptional()
  @IsString()
  ADMIN_SECRET_KEY?: string;

  @Type(() => Number)
  @IsInt({ message: 'must be a whole number of seconds' })
  @Min(0, { message: 'must be 0 to 3600' })
  @Max(3600, { message: 'must be 0 to 3600' })
  AUTH_EXPIRY_GRACE_SECONDS: number = 30;

  @Type(() => Number)
  @IsInt({ message: 'must be a whole number of bytes' })
  @Min(65_536, { message: 'must be 65536 to 67108864' })
  @Max(67_108_864, { message: 'must be 65536 to 67108864' })
  SLOW_CONSUMER_LIMIT_BYTES: number = 1_048_576;

  @AsBoolean
  @IsBoolean({ message: 'must be true or false' })
  DM_ECHO_TO_SENDER: boolean = true;

  @Type(() => Number)
  @IsInt({ message: 'must be a whole number of seconds' })
  @Min(0, { message: 'must be 0 to 31536000' })
  @Max(31_536_000, { message: 'must be 0 to 31536000' })
  DM_EDIT_WINDOW_SECONDS: number = 900;

  @IsOptional()
  @IsAgoraKey()
  AGORA_APP_ID?: string;

  @IsOptional()
  @IsAgoraKey()
  AGORA_APP_CERTIFICATE?: string;

  @Type(() => Number)
  @IsInt({ message: 'must be a whole number of seconds' })
  @Min(60, { message: 'must be 60 to 86400' })
  @Max(86_400, { message: 'must be 60 to 86400' })
  AGORA_TOKEN_TTL_SECONDS: number = 3600;

  @Type(() => Number)
  @IsInt({ message: 'must be a whole number of seconds' })
  @Min(1, { message: 'must be 1 to 600' })
  @Max(600, { message: 'must be 1 to 600' })
  CALL_RING_TIMEOUT_SECONDS: number = 60;

  @IsOptional()
  @IsServiceAccount()
  FIREBASE_SERVICE_ACCOUNT?: string;

  @IsOptional()
  @IsLoopbackUrl()
  FCM_URL?: string;
}
