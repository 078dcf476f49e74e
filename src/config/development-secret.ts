import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'development-jwt-secret';

/**
 * The key of development tokens, made once and kept beside the data: random, because a well-known default would let
 * anybody in who can reach a developer's machine, or a server that forgot NODE_ENV=production.
 */
export function developmentSecret(dataDir: string): string {
  const path = join(dataDir, FILE);
  mkdirSync(dataDir, { recursive: true });
  try {
    // 'wx' fails when another process was first, so both end up with the same key.
    writeFileSync(path, randomBytes(32).toString('hex'), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(path, 'utf8');
}
