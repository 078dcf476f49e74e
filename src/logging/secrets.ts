import type { AppConfig } from '../config/config.js';
import { HIDDEN } from '../config/hidden.js';

/** Shorter ones, which only a developer's server has, stand by chance in any text. */
const MIN_LENGTH = 6;
/** JWTs, and Agora's tokens. */
const TOKEN_PATTERN = /\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*|\b00[67][A-Za-z0-9+/=]{40,}/g;

/** Takes the configuration's secrets, and whatever looks like a token, out of a text. */
export type Redact = (text: string) => string;

/** The last line of defence: nothing of ours writes a secret, but errors of libraries repeat what they were given. */
export function redactorFor(config: AppConfig): Redact {
  const secrets = secretsOf(config).flatMap(spellings);
  return (text) => {
    let redacted = text.replace(TOKEN_PATTERN, HIDDEN);
    for (const secret of secrets) redacted = redacted.replaceAll(secret, HIDDEN);
    return redacted;
  };
}

function secretsOf({ auth, database, redis, agora, push }: AppConfig): string[] {
  const { tokenKey } = auth;
  return [
    tokenKey.kind === 'secret' ? tokenKey.secret : undefined,
    tokenKey.kind === 'jwks' ? passwordIn(tokenKey.url) : undefined,
    auth.adminKey,
    passwordIn(database.uri),
    passwordIn(redis.url),
    agora.credentials?.appCertificate,
    push.serviceAccount?.privateKey,
  ].filter((secret) => secret !== undefined && secret.length >= MIN_LENGTH) as string[];
}

/** As it stands in the URL. */
function passwordIn(url: string | undefined): string | undefined {
  return /^[\w+.-]+:\/\/[^/?#@]*?:([^/?#]*)@/.exec(url ?? '')?.[1];
}

/** As it is, within JSON, and in a URL or out of one. */
function spellings(secret: string): string[] {
  const inJson = JSON.stringify(secret).slice(1, -1);
  return [...new Set([secret, inJson, encodeURIComponent(secret), decoded(secret)])];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
