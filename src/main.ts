import { ConfigError } from './config/config.js';
import { loadConfig } from './config/load-config.js';
import { createApp } from './create-app.js';
import { redactorFor } from './logging/secrets.js';
import { stackOf } from './logging/stack-of.js';
import { closeOnSignal, surviveStrayErrors } from './process-lifecycle.js';
import { printBanner } from './startup-banner.js';

/** Of the end that the program cannot go on from; what the logger says it hides by itself. */
let withoutSecrets = (text: string): string => text;

async function main(): Promise<void> {
  const config = await loadConfig();
  withoutSecrets = redactorFor(config);
  surviveStrayErrors();
  const closing = closeOnSignal();
  const app = await createApp(config);
  closing.manage(app);
  await app.listen(config.http.port, config.http.host);
  printBanner(await app.getUrl(), config);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${withoutSecrets(explain(error))}\n`);
  process.exit(1);
}

/** One line, with the key, for what whoever starts the server can put right; the stack for everything else. */
function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === 'FOLDER_IN_USE' || code === 'FOLDER_UNUSABLE') return `DATA_DIR: ${message}`;
  if (syscall === 'listen' || syscall === 'bind') return `HOST, PORT: cannot listen there (${code})`;
  if (syscall === 'getaddrinfo') return `HOST: is no address of this machine (${code})`;
  if (syscall === 'mkdir' || syscall === 'open') return `DATA_DIR: cannot be made or written (${code})`;
  return stackOf(error);
}
