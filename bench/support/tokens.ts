import { SignJWT } from 'jose';

/** A server that is measured gets it as JWT_SECRET; it is no secret. */
export const BENCH_SECRET = 'known-to-everybody-who-reads-the-bench-0123456789';

/** A token as an application's own backend would sign it, good for an hour. */
export function tokenFor(type: string, id: string, name: string): Promise<string> {
  return new SignJWT({ sub: id, userType: type, name })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(BENCH_SECRET));
}
