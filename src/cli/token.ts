import { parseArgs } from 'node:util';
import { SignJWT } from 'jose';
import type { AppConfig } from '../config/config.js';
import { loadConfig } from '../config/load-config.js';
import { ID_PATTERN, USER_TYPES } from '../contract/identity.js';

const USAGE = `Usage: npm run token -- --type user|astrologer|admin --id ID [--name NAME] [--avatar URL] [--ttl 1d]
  --ttl   lifetime: a number with s, m, h or d (default 1d)`;

class UsageError extends Error {}

/** Prints a token for development, signed with the JWT_SECRET that the server uses. */
async function main(): Promise<void> {
  const options = readArguments();
  if (options === undefined) return void process.stdout.write(`${USAGE}\n`);
  const { type, id, name, avatar, ttl } = options;
  const config = await loadConfig();
  const claims = {
    userType: type,
    ...(name !== undefined && { name }),
    ...(avatar !== undefined && { avatar }),
  };
  const token = new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(id)
    .setIssuedAt()
    .setExpirationTime(ttl);
  if (config.auth.issuer !== undefined) token.setIssuer(config.auth.issuer);
  if (config.auth.audience !== undefined) token.setAudience(config.auth.audience);
  process.stdout.write(`${await token.sign(signingKey(config))}\n`);
}

/** Undefined when the usage is asked for. */
function readArguments() {
  const { values } = parseArgs({
    options: {
      type: { type: 'string' },
      id: { type: 'string' },
      name: { type: 'string' },
      avatar: { type: 'string' },
      ttl: { type: 'string', default: '1d' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return undefined;
  const { type, id } = values;
  if (!(USER_TYPES as readonly unknown[]).includes(type))
    throw new UsageError('--type must be user, astrologer or admin');
  if (id === undefined || !ID_PATTERN.test(id))
    throw new UsageError('--id must be 1 to 64 printable characters without spaces');
  if (!/^\d+[smhd]$/.test(values.ttl))
    throw new UsageError('--ttl must be a number with s, m, h or d, such as 1d');
  return { ...values, type, id };
}

function signingKey({ auth }: AppConfig): Uint8Array {
  if (auth.tokenKey.kind !== 'secret')
    throw new Error('Tokens can be made here only with JWT_SECRET: the server checks them with a public key');
  return new TextEncoder().encode(auth.tokenKey.secret);
}

try {
  await main();
} catch (error) {
  const { message, code } = error as NodeJS.ErrnoException;
  const isUsage = error instanceof UsageError || code?.startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`${message}\n${isUsage ? `${USAGE}\n` : ''}`);
  process.exitCode = 1;
}
