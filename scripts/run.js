// Runs a built program, building first if need be: `node scripts/run.js dist/main.js`. In this same process, so that signals reach it.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import './ensure-built.js';

const [node, , program, ...args] = process.argv;
process.argv = [node, resolve(program), ...args];
await import(pathToFileURL(resolve(program)));
