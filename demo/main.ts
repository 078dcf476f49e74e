import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { demoDirectMessages } from './direct-messages.js';
import { reachServer } from './server.js';

// Where a server of this checkout listens, and the key of its tokens, may stand in .env.
if (existsSync('.env')) process.loadEnvFile('.env');

const { values } = parseArgs({ options: { url: { type: 'string' } } });

try {
  const server = await reachServer(values.url);
  try {
    process.stdout.write('\nDirect messages (→ sends, ← receives)\n');
    await demoDirectMessages(server);
    process.stdout.write('\nEverything arrived.\n');
  } finally {
    await server.close();
  }
} catch (error) {
  process.stderr.write(`\nThe demo failed: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
