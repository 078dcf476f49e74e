import type { Environment } from './environment.js';

const MIN_KEY_LENGTH = 16;

/** Keys that stand in public examples: whoever reads those knows them. */
const KNOWN_DEFAULTS = new Set([
  'admin123',
  'your_admin_secret_key',
  'your-admin-secret-key',
  'your_jwt_secret',
  'your-jwt-secret',
  'your_jwt_secret_key',
  'your_super_secret_jwt_key',
  'change_me_in_production',
  'changemechangeme',
  '0'.repeat(32),
]);

/** What is allowed while developing and not in production (contract §2). */
export function productionFaults(environment: Environment): string[] {
  const { JWT_SECRET, JWT_PUBLIC_KEY, JWKS_URL, ADMIN_SECRET_KEY, MONGODB_URI, FCM_URL } = environment;
  const { AGORA_APP_CERTIFICATE } = environment;
  const faults: string[] = [];
  if (MONGODB_URI === undefined) faults.push('MONGODB_URI: is required in production');
  if (JWT_SECRET === undefined && JWT_PUBLIC_KEY === undefined && JWKS_URL === undefined) {
    faults.push('JWT_SECRET, JWT_PUBLIC_KEY or JWKS_URL: one of them is required in production');
  }
  if (JWT_SECRET !== undefined) faults.push(...weaknesses('JWT_SECRET', JWT_SECRET));
  if (ADMIN_SECRET_KEY !== undefined) faults.push(...weaknesses('ADMIN_SECRET_KEY', ADMIN_SECRET_KEY));
  if (KNOWN_DEFAULTS.has(AGORA_APP_CERTIFICATE ?? ''))
    faults.push('AGORA_APP_CERTIFICATE: is a publicly known default');
  if (FCM_URL !== undefined) faults.push('FCM_URL: is for tests, and refused in production');
  return faults;
}

function weaknesses(key: string, value: string): string[] {
  if (KNOWN_DEFAULTS.has(value.toLowerCase())) return [`${key}: is a publicly known default`];
  if (value.length < MIN_KEY_LENGTH)
    return [`${key}: must have at least ${MIN_KEY_LENGTH} characters in production`];
  return [];
}
