import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, parseConfig } from '../../src/config/config.js';

const PRIVATE_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const SERVICE_ACCOUNT = JSON.stringify({
  type: 'service_account',
  project_id: 'a-project',
  client_email: 'push@a-project.example',
  private_key: PRIVATE_KEY,
});
const AGORA_KEY = '0123456789abcdef0123456789ABCDEF';
const folder = mkdtempSync(join(tmpdir(), 'samvad-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const production = {
  NODE_ENV: 'production',
  MONGODB_URI: 'mongodb://db:27017/app',
  JWT_SECRET: 'production-secret-of-good-length-42',
  DATA_DIR: folder,
};

function faultsOf(variables: Record<string, string | undefined>): readonly string[] {
  try {
    parseConfig({ DATA_DIR: folder, ...variables });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

describe('configuration', () => {
  it('has a default for everything in development', () => {
    const config = parseConfig({ DATA_DIR: folder });
    expect(config).toMatchObject({
      isProduction: false,
      http: { host: '0.0.0.0', port: 3000 },
      database: { uri: undefined, dataDir: folder },
      auth: { tokenKey: { kind: 'secret' }, adminKey: undefined },
      directMessage: { echoToSender: true },
      realtime: { slowConsumerLimitBytes: 1_048_576 },
      agora: { credentials: undefined, tokenTtlMs: 3_600_000 },
    });
  });

  it('makes a development secret that is random and stays', () => {
    const secretOf = (dir: string) =>
      (parseConfig({ DATA_DIR: dir }).auth.tokenKey as { secret: string }).secret;
    expect(secretOf(folder)).toHaveLength(64);
    expect(secretOf(folder)).toBe(secretOf(folder));
    expect(secretOf(join(folder, 'other'))).not.toBe(secretOf(folder));
  });

  it('refuses a damaged development secret, and a folder that cannot be made', () => {
    const damaged = join(folder, 'damaged');
    mkdirSync(damaged);
    writeFileSync(join(damaged, 'development-jwt-secret'), '');
    expect(faultsOf({ DATA_DIR: damaged })).toEqual([expect.stringMatching(/^DATA_DIR: .*damaged/)]);
    expect(faultsOf({ DATA_DIR: '/dev/null/x' })).toEqual(['DATA_DIR: cannot be made or written (ENOTDIR)']);
  });

  it('is frozen to the last level', () => {
    const config = parseConfig({ DATA_DIR: folder, CORS_ORIGINS: 'https://a.example' });
    const parts = [config.database, config.directMessage, config.auth, config.auth.tokenKey];
    for (const part of [config, config.http, config.http.corsOrigins, ...parts]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('reads numbers, switches and lists; an empty variable is an absent one', () => {
    const config = parseConfig({
      DATA_DIR: folder,
      PORT: '8080',
      DM_ECHO_TO_SENDER: 'false',
      CORS_ORIGINS: 'https://a.example, http://localhost:5173',
      MONGODB_URI: '',
      LOG_LEVEL: ' ',
    });
    expect(config.http).toEqual({
      host: '0.0.0.0',
      port: 8080,
      corsOrigins: ['https://a.example', 'http://localhost:5173'],
      trustedProxies: 0,
    });
    expect(config.directMessage.echoToSender).toBe(false);
    expect(config.logLevel).toBe('log');
  });

  it.each([
    [{ PORT: 'abc' }, 'PORT'],
    [{ PORT: '70000' }, 'PORT'],
    [{ PORT: '1.5' }, 'PORT'],
    [{ NODE_ENV: 'staging' }, 'NODE_ENV'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
    [{ MONGODB_URI: 'postgres://secret@db' }, 'MONGODB_URI'],
    [{ MONGODB_URI: 'mongodb://user:secret@host:abc/db' }, 'MONGODB_URI'],
    [{ JWT_PUBLIC_KEY: 'secret-nonsense' }, 'JWT_PUBLIC_KEY'],
    [{ JWT_PUBLIC_KEY: PRIVATE_KEY }, 'JWT_PUBLIC_KEY'],
    [{ AUTH_EXPIRY_GRACE_SECONDS: '-1' }, 'AUTH_EXPIRY_GRACE_SECONDS'],
    [{ SLOW_CONSUMER_LIMIT_BYTES: '65535' }, 'SLOW_CONSUMER_LIMIT_BYTES'],
    [{ SLOW_CONSUMER_LIMIT_BYTES: '67108865' }, 'SLOW_CONSUMER_LIMIT_BYTES'],
    [{ SLOW_CONSUMER_LIMIT_BYTES: '1 MiB' }, 'SLOW_CONSUMER_LIMIT_BYTES'],
    [{ RATE_LIMITS: 'perhaps' }, 'RATE_LIMITS'],
    [{ RATE_LIMIT_MESSAGES: '10/1/25' }, 'RATE_LIMIT_MESSAGES'],
    [{ RATE_LIMIT_OTHERS: 'many' }, 'RATE_LIMIT_OTHERS'],
    [{ MAX_SOCKETS_PER_IDENTITY: '0.5' }, 'MAX_SOCKETS_PER_IDENTITY'],
    [{ TRUST_PROXY: 'true' }, 'TRUST_PROXY'],
    [{ TRUST_PROXY: '11' }, 'TRUST_PROXY'],
    [{ TRUST_PROXY: '10.0.0.0/33' }, 'TRUST_PROXY'],
    [{ JWKS_URL: 'ftp://keys.example' }, 'JWKS_URL'],
    [{ CORS_ORIGINS: 'https://a.example/path' }, 'CORS_ORIGINS'],
    [{ CORS_ORIGINS: '*' }, 'CORS_ORIGINS'],
    [{ DM_ECHO_TO_SENDER: 'perhaps' }, 'DM_ECHO_TO_SENDER'],
    [{ AGORA_APP_ID: `${AGORA_KEY}0`, AGORA_APP_CERTIFICATE: AGORA_KEY }, 'AGORA_APP_ID'],
    [{ AGORA_APP_ID: AGORA_KEY, AGORA_APP_CERTIFICATE: 'x'.repeat(32) }, 'AGORA_APP_CERTIFICATE'],
    [{ AGORA_APP_ID: AGORA_KEY }, 'AGORA_APP_CERTIFICATE'],
    [{ AGORA_APP_CERTIFICATE: AGORA_KEY }, 'AGORA_APP_ID'],
    [{ AGORA_TOKEN_TTL_SECONDS: '59' }, 'AGORA_TOKEN_TTL_SECONDS'],
    [{ AGORA_TOKEN_TTL_SECONDS: '86401' }, 'AGORA_TOKEN_TTL_SECONDS'],
    [{ AGORA_TOKEN_TTL_SECONDS: '90.5' }, 'AGORA_TOKEN_TTL_SECONDS'],
    [{ FIREBASE_SERVICE_ACCOUNT: '/nowhere/at-all.json' }, 'FIREBASE_SERVICE_ACCOUNT'],
    [{ FIREBASE_SERVICE_ACCOUNT: '{"project_id":"secret"}' }, 'FIREBASE_SERVICE_ACCOUNT'],
    [{ FCM_URL: 'http://fcm.example:80' }, 'FCM_URL'],
    [{ FCM_URL: 'https://127.0.0.1:80' }, 'FCM_URL'],
    [{ FCM_URL: 'http://127.0.0.1:80@fcm.example' }, 'FCM_URL'],
  ])('refuses %p in one line that does not repeat the value', (variables, key) => {
    const faults = faultsOf(variables);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(new RegExp(`^${key}: .`));
    for (const value of Object.values(variables)) expect(faults[0]).not.toContain(value);
  });

  it('names every fault at once', () => {
    const faults = faultsOf({ NODE_ENV: 'production', PORT: 'x', ADMIN_SECRET_KEY: 'short' });
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([
      'PORT',
      'MONGODB_URI',
      'JWT_SECRET, JWT_PUBLIC_KEY or JWKS_URL',
      'ADMIN_SECRET_KEY',
    ]);
  });

  it('takes a service account as JSON or as a file', () => {
    const path = join(folder, 'account.json');
    writeFileSync(path, SERVICE_ACCOUNT);
    for (const value of [path, SERVICE_ACCOUNT]) {
      const { push } = parseConfig({ DATA_DIR: folder, FIREBASE_SERVICE_ACCOUNT: value });
      expect(push.serviceAccount).toEqual({
        projectId: 'a-project',
        clientEmail: 'push@a-project.example',
        privateKey: PRIVATE_KEY,
      });
    }
  });

  it('takes Agora’s id with its certificate, and a lifetime of tokens in seconds', () => {
    const { agora } = parseConfig({
      DATA_DIR: folder,
      AGORA_APP_ID: AGORA_KEY,
      AGORA_APP_CERTIFICATE: AGORA_KEY.toLowerCase(),
      AGORA_TOKEN_TTL_SECONDS: '86400',
    });
    expect(agora).toEqual({
      credentials: { appId: AGORA_KEY, appCertificate: AGORA_KEY.toLowerCase() },
      tokenTtlMs: 86_400_000,
    });
    expect(Object.isFrozen(agora.credentials)).toBe(true);
  });

  it('takes one source of keys only', () => {
    expect(faultsOf({ JWT_SECRET: 's'.repeat(32), JWKS_URL: 'https://keys.example/jwks' })[0]).toMatch(
      /^JWT_SECRET, JWKS_URL: /,
    );
  });

  describe('in production', () => {
    it('starts with what is required', () => {
      expect(parseConfig(production).isProduction).toBe(true);
    });

    it.each(['MONGODB_URI', 'JWT_SECRET'])('requires %s', (key) => {
      expect(faultsOf({ ...production, [key]: '' })).toEqual([
        expect.stringMatching(new RegExp(`^${key}.* required in production$`)),
      ]);
    });

    it.each(['admin123', 'your_admin_secret_key', 'ADMIN123', 'fifteen-chars-x'])(
      'refuses the weak admin key %s',
      (key) => {
        const faults = faultsOf({ ...production, ADMIN_SECRET_KEY: key });
        expect(faults).toHaveLength(1);
        expect(faults[0]).not.toContain(key);
      },
    );

    it('takes a strong admin key', () => {
      expect(parseConfig({ ...production, ADMIN_SECRET_KEY: 'a-good-key-of-20-chars' }).auth.adminKey).toBe(
        'a-good-key-of-20-chars',
      );
    });

    it('starts without Agora, and refuses its placeholder', () => {
      expect(parseConfig(production).agora.credentials).toBeUndefined();
      const placeholders = { AGORA_APP_ID: '0'.repeat(32), AGORA_APP_CERTIFICATE: '0'.repeat(32) };
      expect(faultsOf({ ...production, ...placeholders })).toEqual([
        'AGORA_APP_CERTIFICATE: is a publicly known default',
      ]);
    });

    it('refuses a server in the place of Firebase', () => {
      expect(faultsOf({ ...production, FCM_URL: 'http://127.0.0.1:9099' })).toEqual([
        'FCM_URL: is for tests, and refused in production',
      ]);
    });

    it('refuses a weak signing secret', () => {
      expect(faultsOf({ ...production, JWT_SECRET: 'short' })[0]).toMatch(/^JWT_SECRET: /);
    });
  });
});
