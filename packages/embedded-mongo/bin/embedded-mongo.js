#!/usr/bin/env node
import { parseArgs } from 'node:util';

const USAGE = 'usage: embedded-mongo [--port N] [--dir DIR] [--host 127.0.0.1]';

function readOptions() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      dir: { type: 'string' },
      host: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    process.exit(0);
  }
  const port = Number(values.port ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535 || values.port === '') {
    throw new RangeError(`--port must be a number from 0 to 65535, not ${values.port}`);
  }
  if (values.dir === '') throw new RangeError('--dir must not be empty');
  return { port, dir: values.dir, host: values.host };
}

function describe(error) {
  if (error?.code === 'EADDRINUSE') return `port ${error.port} is in use`;
  if (error?.code === 'ERR_MODULE_NOT_FOUND')
    return 'not built yet: run npm run build -w @samvad/embedded-mongo';
  return String(error?.message ?? error).split('\n')[0];
}

function fail(error, exitCode) {
  process.stderr.write(`embedded-mongo: ${describe(error)}\n`);
  process.exitCode = exitCode;
}

async function main() {
  let options;
  try {
    options = readOptions();
  } catch (error) {
    fail(new Error(`${describe(error).replace(/\.$/, '')} (${USAGE})`), 2);
    return;
  }
  try {
    const { startEmbeddedMongo } = await import('../dist/index.js');
    const server = await startEmbeddedMongo(options);
    const stop = () => server.close().catch((error) => fail(error, 1));
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    process.stdout.write(`${server.uri}\n`);
  } catch (error) {
    fail(error, 1);
  }
}

await main();
