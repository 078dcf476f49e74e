// Builds when there is no build yet or a source is newer than it, so that `npm start`, `npm test` and the like just work.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const OUTPUTS = [
  'dist/main.js',
  'packages/embedded-mongo/dist/index.js',
  'build/demo/main.js',
  'build/test/support/soak/main.js',
  'build/test/support/live-storm/main.js',
  'build/test/support/fuzz/main.js',
  'build/bench/direct-message/main.js',
  'build/bench/live/main.js',
];
const PACKAGE = 'packages/embedded-mongo';
const SOURCES = [
  'src',
  'demo',
  'test/support/soak',
  'test/support/live-storm',
  'test/support/fuzz',
  'test/support/spawned.ts',
  'test/support/token.ts',
  'bench',
  `${PACKAGE}/src`,
  `${PACKAGE}/package.json`,
  `${PACKAGE}/tsconfig.json`,
  'package.json',
  'nest-cli.json',
  'tsconfig.base.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'tsconfig.tools.json',
];

function newest(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((entry) => newest(join(path, entry))));
}

const outputs = OUTPUTS.map((path) => join(ROOT, path));
const builtAt = Math.min(...outputs.map((path) => (existsSync(path) ? statSync(path).mtimeMs : 0)));
if (builtAt < Math.max(...SOURCES.map((path) => newest(join(ROOT, path))))) {
  process.stderr.write('Building…\n');
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}
