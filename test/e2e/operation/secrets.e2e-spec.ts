import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { closeAfterTest } from '../../support/cleanup.js';
import { connectAs, connectRefused, openClient } from '../../support/client.js';
import { startServer, temporaryFolder } from '../../support/processes.js';
import { runProgram } from '../../support/programs.js';
import { TEST_SECRET, tokenFor, user } from '../../support/token.js';
import { until } from '../../support/until.js';

const ADMIN_KEY = 'the-admin-key-of-this-test';
const CERTIFICATE = '0123456789abcdef0123456789abcdef';
const CONTENT = 'what-nobody-else-shall-read';

it('a running server shows no secret and no content, in its log or in a diagnostic report', async () => {
  const [dataDir, reports] = [await temporaryFolder(), await temporaryFolder()];
  const server = await startServer(dataDir, {
    LOG_LEVEL: 'debug',
    ADMIN_SECRET_KEY: ADMIN_KEY,
    AGORA_APP_ID: 'f'.repeat(32),
    AGORA_APP_CERTIFICATE: CERTIFICATE,
    NODE_OPTIONS: `--report-on-signal --report-signal=SIGUSR2 --report-directory=${reports}`,
  });
  const token = await tokenFor(user('asha'));
  const asha = await connectAs(server.address, user('asha'));
  const boss = openClient(server.address, { auth: { token: ADMIN_KEY } });
  await boss.waitFor('connected');
  await connectRefused(server.address, { auth: { token: `${ADMIN_KEY}x` } });
  const toRavi = { recipientId: 'ravi', recipientType: 'astrologer' };
  await asha.ask('dm:send_message', { ...toRavi, content: CONTENT });
  await asha.send('dm:send_message', { ...toRavi, content: { $ne: CONTENT } });
  await asha.send(`no:such_event:${CONTENT}`, {});
  await asha.ask('auth:refresh', { token });
  await asha.ask('call:initiate', { ...toRavi, callType: 'voice' });
  const { agoraToken } = await asha.waitFor('call:token');
  await boss.ask('dm:conversations', {});

  const socketId = asha.socket.id ?? '';
  const line = (event: string, outcome: string): RegExp =>
    new RegExp(`${event} \\(user:asha, socket ${socketId}, [\\d.]+ ms\\): ${outcome}`);
  await until(() => line('call:initiate', 'ok').test(server.output()));
  expect(server.output()).toMatch(line('dm:send_message', 'ok'));
  expect(server.output()).toMatch(line('dm:send_message', 'BAD_REQUEST'));

  server.child.kill('SIGUSR2');
  const written = (): string | undefined => {
    const [file] = readdirSync(reports);
    return file === undefined ? undefined : readFileSync(join(reports, file), 'utf8');
  };
  // The last thing in a report.
  await until(() => written()?.includes('"sharedObjects"') === true);
  expect(written()).toContain('"environmentVariables"');
  for (const secret of [TEST_SECRET, ADMIN_KEY, CERTIFICATE, CONTENT, token, agoraToken]) {
    expect(server.output()).not.toContain(secret);
    expect(written()).not.toContain(secret);
  }
  asha.close();
  boss.close();
  await server.stop();
});

it('a start that fails names no secret', async () => {
  const occupant = createServer().listen(0, '127.0.0.1');
  closeAfterTest(() => occupant.close());
  await once(occupant, 'listening');
  const password = 'the-password-of-this-redis';
  const { code, stdout, stderr } = await runProgram(['dist/main.js'], {
    DATA_DIR: await temporaryFolder(),
    REDIS_URL: `redis://samvad:${password}@127.0.0.1:1`,
    JWT_SECRET: TEST_SECRET,
    HOST: '127.0.0.1',
    PORT: String((occupant.address() as AddressInfo).port),
  });
  expect(code).toBe(1);
  expect(stdout + stderr).toContain('Redis is away');
  expect(stderr).toContain('HOST, PORT: cannot listen there');
  expect(stdout + stderr).not.toContain(password);
  expect(stdout + stderr).not.toContain(TEST_SECRET);
});
