import { ConfigError } from './config/config.js';
import { loadConfig } from './config/load-config.js';
import { createApp } from './create-app.js';
import { closeOnSignal, surviveStrayErrors } from './process-lifecycle.js';
import { printBanner } from './startup-banner.js';

async function main(): Promise<void> {
  const config = await loadConfig();
  surviveStrayErrors();
  const app = await createApp(config);
  closeOnSignal(app);
  await app.listen(config.http.port, config.http.host);
  printBanner(await app.getUrl(), config);
}

/** These say all there is to say in their message. */
const PLAIN_FAULTS = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES', 'FOLDER_IN_USE']);

try {
  await main();
} catch (error) {
  const { message, stack, code = '' } = error as NodeJS.ErrnoException;
  const isPlain = error instanceof ConfigError || PLAIN_FAULTS.has(code);
  process.stderr.write(`${isPlain ? message : stack}\n`);
  process.exit(1);
}
