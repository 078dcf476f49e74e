// Runs a built program, building first if need be: `node scripts/run.js dist/main.js`. In this same process, so that signals reach it.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import './ensure-built.js';

const PARENT_CHECK_MS = 500;

// npm ends without passing its signal on to this process; a server must not stay behind with the port and the data.
if (process.env.npm_lifecycle_event !== undefined) {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
  }, PARENT_CHECK_MS).unref();
}

const [node, , program, ...args] = process.argv;
process.argv = [node, resolve(program), ...args];
await import(pathToFileURL(resolve(program)));
