import { createServer, type AddressInfo } from 'node:net';
import { closeAfterTest } from '../../support/cleanup.js';
import { connectAs, openClient } from '../../support/client.js';
import { startServer, temporaryFolder } from '../../support/processes.js';
import { runProgram } from '../../support/programs.js';
import { TEST_SECRET, user } from '../../support/token.js';

describe('start', () => {
  it('says where it is, where the data is and how to get a token', async () => {
    const dataDir = await temporaryFolder();
    const server = await startServer(dataDir);
    expect(server.output()).toContain(dataDir);
    expect(server.output()).toContain('npm run token -- ');
    expect(await server.stop()).toBe(0);
  });

  it('without Agora’s credentials warns once, with them not at all', async () => {
    const agoraLines = async (variables: Record<string, string>): Promise<string[]> => {
      const server = await startServer(await temporaryFolder(), variables);
      const lines = server.output().split('\n');
      await server.stop();
      return lines.filter((line) => /agora/i.test(line));
    };
    expect(await agoraLines({})).toEqual([
      expect.stringMatching(/WARN.*calls will ring, but Agora will refuse their media/),
    ]);
    const key = '0123456789abcdef'.repeat(2);
    expect(await agoraLines({ AGORA_APP_ID: key, AGORA_APP_CERTIFICATE: key })).toEqual([]);
  });

  it('a token from the command line lets in', async () => {
    const dataDir = await temporaryFolder();
    const server = await startServer(dataDir, { JWT_SECRET: '' });
    const { code, stdout } = await runProgram(
      ['dist/cli/token.js', '--type', 'user', '--id', 'u1', '--name', 'Asha', '--ttl', '1d'],
      {
        DATA_DIR: dataDir,
      },
    );
    expect(code).toBe(0);
    const client = openClient(server.address, { auth: { token: stdout.trim() } });
    expect((await client.waitFor('connected')).user).toMatchObject({
      id: 'u1',
      name: 'Asha',
      userType: 'user',
    });
    await server.stop();
  });

  it.each([
    [['--type', 'king', '--id', 'u1']],
    [['--type', 'user']],
    [['--type', 'user', '--id', 'a b']],
    [['--type', 'user', '--id', 'u', '--ttl', 'x']],
    [['--nonsense']],
  ])('the token program refuses %j with its usage', async (args) => {
    const { code, stdout, stderr } = await runProgram(['dist/cli/token.js', ...args], {
      DATA_DIR: await temporaryFolder(),
    });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('Usage: npm run token');
  });

  it('stops on bad configuration with one line for each fault and no value', async () => {
    const { code, stderr } = await runProgram(['dist/main.js'], {
      NODE_ENV: 'production',
      PORT: 'not-a-port',
      ADMIN_SECRET_KEY: 'admin123',
      DATA_DIR: await temporaryFolder(),
    });
    expect(code).toBe(1);
    expect(
      stderr
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(':')[0]),
    ).toEqual(['PORT', 'MONGODB_URI', 'JWT_SECRET, JWT_PUBLIC_KEY or JWKS_URL', 'ADMIN_SECRET_KEY']);
    expect(stderr).not.toMatch(/not-a-port|admin123|at .*\.js/);
  });

  it('an address or a folder that cannot be used is one line with the key', async () => {
    const taken = createServer();
    closeAfterTest(() => taken.close());
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const usable = {
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'error',
      JWT_SECRET: TEST_SECRET,
      DATA_DIR: await temporaryFolder(),
    };
    const startWith = (variables: object) => runProgram(['dist/main.js'], { ...usable, ...variables });

    const complaint = async (variables: object) => {
      const { code, stderr } = await startWith(variables);
      return [code, stderr.trim().split('\n').at(-1)];
    };
    expect(await complaint({ PORT: String(port) })).toEqual([
      1,
      'HOST, PORT: cannot listen there (EADDRINUSE)',
    ]);
    expect(await complaint({ HOST: 'no.such.host.invalid' })).toEqual([
      1,
      expect.stringMatching(/^HOST: is no address of this machine/),
    ]);
    expect(await complaint({ DATA_DIR: '/dev/null/x' })).toEqual([
      1,
      'DATA_DIR: cannot be made or written (ENOTDIR)',
    ]);
  });

  it('a second server on the same data folder says so and ends', async () => {
    const dataDir = await temporaryFolder();
    const server = await startServer(dataDir);
    const { code, stderr, stdout } = await runProgram(['dist/main.js'], {
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: dataDir,
    });
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/in use/i);
    expect((await connectAs(server.address, user('u1'))).greeting.user.id).toBe('u1');
    await server.stop();
  });
});
