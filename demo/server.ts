import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

const START_TIMEOUT_MS = 30_000;

/** The server that the demo talks to. */
export interface DemoServer {
  url: string;
  /** Started by the demo, and so without whatever the environment configures. */
  isOwn: boolean;
  /** A token for the demo's people, made with `npm run token`'s own program. */
  tokenFor: (type: string, id: string, name: string) => Promise<string>;
  close: () => Promise<void>;
}

/** The running server at `url`, or where PORT says; else one of our own, with its data in a temporary folder. */
export async function reachServer(url: string | undefined): Promise<DemoServer> {
  const candidate = url ?? `http://127.0.0.1:${process.env.PORT ?? 3000}`;
  if (await isReady(candidate)) {
    process.stdout.write(`Talking to the server at ${candidate}\n`);
    return {
      url: candidate,
      isOwn: false,
      tokenFor: tokenMaker(process.env),
      close: () => Promise.resolve(),
    };
  }
  if (url !== undefined) throw new Error(`No server answers at ${url}/health/ready`);
  return startServer();
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2000) });
    const body = (await response.json()) as { details?: { database?: object } };
    return response.ok && body.details?.database !== undefined;
  } catch {
    return false;
  }
}

/** Whatever the environment says of other servers and keys, this one is on its own. */
const OWN_SERVER = {
  NODE_ENV: 'development',
  HOST: '127.0.0.1',
  PORT: '0',
  LOG_LEVEL: 'warn',
  MONGODB_URI: '',
  REDIS_URL: '',
  AGORA_APP_ID: '',
  AGORA_APP_CERTIFICATE: '',
  CALL_RING_TIMEOUT_SECONDS: '3',
  FIREBASE_SERVICE_ACCOUNT: '',
  FCM_URL: '',
  JWT_SECRET: '',
  JWT_PUBLIC_KEY: '',
  JWKS_URL: '',
  JWT_ISSUER: '',
  JWT_AUDIENCE: '',
};

async function startServer(): Promise<DemoServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'samvad-demo-'));
  const env = { ...process.env, ...OWN_SERVER, DATA_DIR: dataDir };
  const child = spawn(process.execPath, ['dist/main.js'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const url = await addressOf(child.stdout, ended);
    process.stdout.write(`Started a server of its own at ${url}\n`);
    return { url, isOwn: true, tokenFor: tokenMaker(env), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What the server prints when it listens. */
function addressOf(stdout: Readable, ended: Promise<void>): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The server did not start in time.')), START_TIMEOUT_MS);
    let output = '';
    stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const found = /Samvad listens on (\S+)/.exec(output)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    });
    void ended.then(() => {
      clearTimeout(timer);
      reject(new Error('The server did not start.'));
    });
  });
}

function tokenMaker(env: NodeJS.ProcessEnv): DemoServer['tokenFor'] {
  return async (type, id, name) => {
    const args = ['dist/cli/token.js', '--type', type, '--id', id, '--name', name, '--ttl', '10m'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    return stdout.trim();
  };
}
