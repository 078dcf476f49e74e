import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { errors, type JWTPayload, type JWTVerifyOptions, UnsecuredJWT } from 'jose';

const ALGORITHM = 'HS256';
/** The header of a token without a signature, which is how jose checks claims alone. */
const NO_SIGNATURE = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');

/**
 * Checks tokens that are signed with a shared secret, on this thread: jose asks the thread pool, whose turn to come costs more than the
 * few microseconds of the signature itself. What the claims must be is checked by jose, as for every other token.
 */
export class SharedSecret {
  private readonly key: KeyObject;

  constructor(secret: string) {
    this.key = createSecretKey(secret, 'utf8');
  }

  /** @throws a JOSEError for a token that is not signed with the secret, by HS256, or whose claims are not as they must be */
  verify(token: string, options: JWTVerifyOptions): JWTPayload {
    const [header, payload, signature, ...rest] = token.split('.');
    if (header === undefined || payload === undefined || signature === undefined || rest.length > 0)
      throw new errors.JWSInvalid('A token has three parts');
    assertHeader(header);
    const expected = createHmac('sha256', this.key).update(`${header}.${payload}`).digest();
    const given = Buffer.from(signature, 'base64url');
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      throw new errors.JWSSignatureVerificationFailed();
    return UnsecuredJWT.decode(`${NO_SIGNATURE}.${payload}.`, options).payload;
  }
}

/** A token must not choose how it is checked, nor ask for what is not understood here. */
function assertHeader(encoded: string): void {
  const header = parse(encoded);
  if (typeof header !== 'object' || header === null) throw new errors.JWSInvalid('The header is no object');
  const { alg, crit, b64 } = header as Record<string, unknown>;
  if (alg !== ALGORITHM) throw new errors.JOSEAlgNotAllowed('The algorithm is not allowed');
  if (crit !== undefined || b64 !== undefined) throw new errors.JOSENotSupported('An extension is not known');
}

function parse(encoded: string): unknown {
  try {
    return JSON.parse(Buffer.from(encoded, 'base64url').toString());
  } catch {
    throw new errors.JWSInvalid('The header is no JSON');
  }
}
