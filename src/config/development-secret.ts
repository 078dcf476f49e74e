import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'development-jwt-secret';

/**
 * The key of development tokens, made once and kept beside the data: random, because a well-known default would let
 * anybody in who can reach a developer's machine, or a server that forgot NODE_ENV=production.
 * @throws the error of the file system when `dataDir` cannot be made or written; an error when the file is damaged
 */
export function developmentSecret(dataDir: string): string {
  const path = join(dataDir, FILE);
  const draft = join(dataDir, `.${FILE}.${process.pid}`);
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(draft, randomBytes(32).toString('hex'), { mode: 0o600 });
  try {
    // A link appears whole or, when another process was first, not at all: both end up with the same key.
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const secret = readFileSync(path, 'utf8');
  if (!/^[0-9a-f]{64}$/.test(secret)) throw new Error(`the file ${FILE} in it is damaged: delete it`);
  return secret;
}
