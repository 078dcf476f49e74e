import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { closeAfterAll } from '../../support/cleanup.js';
import { startServer, temporaryFolder } from '../../support/processes.js';
import { runProgram } from '../../support/programs.js';
import { TEST_SECRET } from '../../support/token.js';

const ROOT = join(import.meta.dirname, '../../..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

describe('README', () => {
  it('its client example works when pasted', async () => {
    const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    expect(example.trim().split('\n').length).toBe(15);
    const server = await startServer(await temporaryFolder());
    const file = join(ROOT, 'build', `example-${process.pid}.mjs`);
    closeAfterAll(() => rmSync(file, { force: true }));
    writeFileSync(file, example.replace('http://localhost:3000', server.address));
    const { code, stdout, stderr } = await runProgram([file], { JWT_SECRET: TEST_SECRET });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/Ravi gets \{[^}]*content: 'Namaste!'/);
    expect(stdout).toContain("Asha's message is stored as number 1");
    await server.stop();
  });

  it('its table of configuration has every key of the code, and .env.example too', () => {
    const source = ['environment.ts', 'limit-environment.ts']
      .map((file) => readFileSync(join(ROOT, 'src/config', file), 'utf8'))
      .join('\n');
    const keys = new Set([...source.matchAll(/^ {2}([A-Z_]+)[?:]/gm)].map(([, key]) => key));
    expect(keys.size).toBeGreaterThan(10);
    const documented = new Set([...readme.matchAll(/^\| `([A-Z_]+)`\s+\|/gm)].map(([, key]) => key));
    expect(documented).toEqual(keys);
    const example = readFileSync(join(ROOT, '.env.example'), 'utf8');
    expect(new Set([...example.matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, key]) => key))).toEqual(keys);
  });
});
