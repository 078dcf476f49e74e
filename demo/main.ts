import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { demoCalls } from './calls.js';
import { demoDirectMessages } from './direct-messages.js';
import { demoLive } from './live.js';
import { demoRooms } from './rooms.js';
import { reachServer } from './server.js';

const USAGE = `Usage: npm run demo [-- --url URL]
  --url   the server to talk to; by default the one that runs on PORT, else one of its own
`;

// Where a server of this checkout listens, and the key of its tokens, may stand in .env.
if (existsSync('.env')) process.loadEnvFile('.env');

const { values } = parseArgs({ options: { url: { type: 'string' }, help: { type: 'boolean' } } });
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

try {
  const server = await reachServer(values.url);
  try {
    process.stdout.write('\nDirect messages (→ sends, ✓ is acknowledged, ✗ is refused, ← receives)\n');
    await demoDirectMessages(server);
    process.stdout.write('\nCalls\n');
    await demoCalls(server);
    process.stdout.write('\nLive streams\n');
    await demoLive(server);
    process.stdout.write('\nChat rooms\n');
    await demoRooms(server);
    process.stdout.write('\nEverything arrived.\n');
  } finally {
    await server.close();
  }
} catch (error) {
  process.stderr.write(`\nThe demo failed: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
