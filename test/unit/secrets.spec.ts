import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { inspect } from 'node:util';
import mongoose from 'mongoose';
import { type AppConfig, parseConfig } from '../../src/config/config.js';
import { redactorFor } from '../../src/logging/secrets.js';
import { stackOf } from '../../src/logging/stack-of.js';

const privateKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const SECRETS = {
  jwt: 'the-jwt-secret-of-this-test',
  admin: 'the-admin-key-of-this-test',
  mongo: 'mongo%40password',
  redis: 'redis-password',
  agora: '0123456789abcdef0123456789abcdef',
  key: privateKey.split('\n')[1] as string,
};

const config: AppConfig = parseConfig({
  DATA_DIR: tmpdir(),
  JWT_SECRET: SECRETS.jwt,
  ADMIN_SECRET_KEY: SECRETS.admin,
  MONGODB_URI: `mongodb://samvad:${SECRETS.mongo}@db:27017/app`,
  REDIS_URL: `redis://:${SECRETS.redis}@cache:6379`,
  AGORA_APP_ID: 'f'.repeat(32),
  AGORA_APP_CERTIFICATE: SECRETS.agora,
  FIREBASE_SERVICE_ACCOUNT: JSON.stringify({
    project_id: 'a-project',
    client_email: 'push@a-project.example',
    private_key: privateKey,
  }),
});

describe('the configuration', () => {
  it.each([
    ['inspect', inspect(config, { depth: null })],
    ['JSON', JSON.stringify(config)],
    ['inspect of a part', inspect(config.auth.tokenKey)],
    ['a text within a text', inspect({ parts: [{ config }] }, { depth: null, showHidden: false })],
  ])('shows no secret to %s, and that there is one', (_, shown) => {
    for (const secret of Object.values(SECRETS)) expect(shown).not.toContain(secret);
    expect(shown).toContain('[secret]');
  });

  it('has them all the same', () => {
    expect(config.auth.adminKey).toBe(SECRETS.admin);
    expect(config.auth.tokenKey).toEqual({ kind: 'secret', secret: SECRETS.jwt });
    expect(config.push.serviceAccount?.privateKey).toBe(privateKey);
  });
});

describe('what is logged', () => {
  const redact = redactorFor(config);

  it('has no secret, however it is spelled', () => {
    const { jwt, admin, mongo, redis, agora } = SECRETS;
    const texts = [jwt, admin, mongo, redis, agora, privateKey, JSON.stringify(privateKey), 'mongo@password'];
    for (const text of texts) {
      expect(redact(`before ${text} after`)).not.toContain(text);
      expect(redact(`before ${text} after`)).toMatch(/^before .*\[secret\].* after$/s);
    }
  });

  it('has no token', () => {
    const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl';
    expect(redact(`{"token":"${token}"}`)).toBe('{"token":"[secret]"}');
    expect(redact(`agora 007${'eJxSYLiw'.repeat(10)} end`)).toBe('agora [secret] end');
  });

  it('is left as it is otherwise', () => {
    expect(redact('dm:send_message failed')).toBe('dm:send_message failed');
  });

  it('says of errors that repeat what they were given only their kind, their code and where', () => {
    const content = 'what somebody wrote';
    const duplicate = new mongoose.mongo.MongoServerError({
      message: `E11000 duplicate key error, dup key: { clientMessageId: "${content}" }`,
      code: 11_000,
    });
    expect(stackOf(duplicate)).toMatch(/^MongoServerError \(11000\)\n {4}at /);
    expect(stackOf(duplicate)).not.toContain(content);
    let broken: unknown;
    try {
      JSON.parse(content);
    } catch (error) {
      broken = error;
    }
    expect(stackOf(broken)).not.toContain(content);
    expect(stackOf(new TypeError('x is not a function'))).toContain('x is not a function');
    expect(stackOf({ content })).toBe('object');
  });
});
