import { once } from 'node:events';
import { request } from 'node:http';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { startApp } from '../../support/app.js';
import { openClient } from '../../support/client.js';
import { BURST, LIMIT } from '../../support/rate-limits.js';
import { signToken } from '../../support/token.js';

describe('a limit by address', () => {
  const KEY = 'the-admin-key-of-this-test';
  const PROXIED = { RATE_LIMITS: 'on', TRUST_PROXY: '1', ADMIN_SECRET_KEY: KEY };
  const from = (address: string, token: string, transports = ['websocket']) => ({
    auth: { token },
    transports,
    extraHeaders: { 'X-Forwarded-For': `6.6.6.6, ${address}` },
  });
  type Limited = { code: string; details?: { retryAfterMs: number } };

  /** What is to be asked once more when the time that a refusal named is over, and what is to come then. */
  const later: { due: number; ask: () => Promise<unknown>; wanted: unknown }[] = [];
  const askAgain = ({ details }: Limited, ask: () => Promise<unknown>, wanted: unknown): void => {
    expect(details).toEqual({ retryAfterMs: expect.any(Number) });
    later.push({ due: performance.now() + (details?.retryAfterMs ?? 0), ask, wanted });
  };

  /** The refusal, or `connected`. */
  const tryToConnect = (url: string, address: string, token: string): Promise<Limited> =>
    new Promise((resolve) => {
      const { socket } = openClient(url, from(address, token));
      socket.once('connected', () => resolve({ code: 'connected' }));
      socket.once('connect_error', (error) => resolve((error as Error & { data: Limited }).data));
    });

  it('handshakes: a burst, then a refusal with the time to wait', async () => {
    const { url } = await startApp({ ...PROXIED, RATE_LIMIT_HANDSHAKES: LIMIT });
    const token = await signToken({ sub: 'u1', userType: 'user' });
    for (let i = 0; i < BURST; i += 1)
      expect(await tryToConnect(url, '10.0.0.1', token)).toEqual({ code: 'connected' });
    const refusal = await tryToConnect(url, '10.0.0.1', token);
    expect(refusal.code).toBe('RATE_LIMITED');
    askAgain(refusal, () => tryToConnect(url, '10.0.0.1', token), { code: 'connected' });
    expect(await tryToConnect(url, '10.0.0.2', token)).toEqual({ code: 'connected' });
  });

  it('new sessions, before anything else: 429, with the time to wait', async () => {
    const { url } = await startApp({ ...PROXIED, RATE_LIMIT_SESSIONS: LIMIT });
    const open = () =>
      fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers: { 'X-Forwarded-For': '10.0.0.3' } });
    for (let i = 0; i < BURST; i += 1) expect((await open()).status).toBe(200);
    const refused = await open();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const refusal = (await refused.json()) as Limited;
    expect(refusal.code).toBe('RATE_LIMITED');
    askAgain(refusal, async () => (await open()).status, 200);

    // A WebSocket is told as much.
    const upgrade = request(`${url}/socket.io/?EIO=4&transport=websocket`, {
      headers: {
        'X-Forwarded-For': '10.0.0.3',
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhpcyBpcyBhIHRlc3QuLg==',
      },
    }).end();
    const [answer] = (await once(upgrade, 'response')) as [Readable & { statusCode: number }];
    expect(answer.statusCode).toBe(400);
    expect(JSON.parse(await text(answer))).toMatchObject({ ...refusal, details: expect.any(Object) });
  });

  it('failed logins: refused as such, with the time to wait; a good token is let in, and so is the key of another address', async () => {
    const { url } = await startApp({ ...PROXIED, RATE_LIMIT_FAILED_LOGINS: LIMIT });
    const forged = await signToken(
      { sub: 'u1', userType: 'admin' },
      { secret: 'not-the-secret-of-this-server-0123' },
    );
    const good = await signToken({ sub: 'u1', userType: 'user' });
    const expired = await signToken({ sub: 'u1', userType: 'user' }, { expiresIn: -60 });
    const codeOf = async (address: string, token: string) => (await tryToConnect(url, address, token)).code;

    for (let i = 0; i < BURST; i += 1) expect(await codeOf('10.0.0.4', forged)).toBe('UNAUTHENTICATED');
    const refusal = await tryToConnect(url, '10.0.0.4', forged);
    expect(refusal.code).toBe('RATE_LIMITED');
    askAgain(refusal, () => codeOf('10.0.0.4', forged), 'UNAUTHENTICATED');
    expect(await codeOf('10.0.0.4', good)).toBe('connected');
    expect(await codeOf('10.0.0.4', expired)).toBe('TOKEN_EXPIRED');
    // Forged tokens are no guesses at the key.
    expect(await codeOf('10.0.0.4', KEY)).toBe('connected');
    expect(await codeOf('10.0.0.5', forged)).toBe('UNAUTHENTICATED');
  });

  it('guesses at the admin key: with too many, the key itself is refused from there, for that time', async () => {
    const { url } = await startApp({ ...PROXIED, RATE_LIMIT_FAILED_LOGINS: LIMIT });
    const good = await signToken({ sub: 'u1', userType: 'user' });
    const codeOf = async (address: string, token: string) => (await tryToConnect(url, address, token)).code;

    for (let i = 0; i < BURST - 1; i += 1)
      expect(await codeOf('10.0.0.6', `guess-${i}`)).toBe('UNAUTHENTICATED');
    expect(await codeOf('10.0.0.6', KEY)).toBe('connected');
    expect(await codeOf('10.0.0.6', 'guess')).toBe('UNAUTHENTICATED');
    const refusal = await tryToConnect(url, '10.0.0.6', KEY);
    expect(refusal.code).toBe('RATE_LIMITED');
    askAgain(refusal, () => codeOf('10.0.0.6', KEY), 'connected');
    expect(await codeOf('10.0.0.6', good)).toBe('connected');
    expect(await codeOf('10.0.0.7', KEY)).toBe('connected');
  });

  it('guesses at an admin key that looks like a token are counted as well', async () => {
    const key = 'our.admin-key.of-this-test';
    const { url } = await startApp({
      ...PROXIED,
      ADMIN_SECRET_KEY: key,
      RATE_LIMIT_FAILED_LOGINS: LIMIT,
    });
    const codeOf = async (address: string, token: string) => (await tryToConnect(url, address, token)).code;
    for (let i = 0; i < BURST; i += 1)
      expect(await codeOf('10.0.0.8', `our.admin-key.guess-${i}`)).toBe('UNAUTHENTICATED');
    expect(await codeOf('10.0.0.8', key)).toBe('RATE_LIMITED');
    expect(await codeOf('10.0.0.8', await signToken({ sub: 'u1', userType: 'user' }))).toBe('connected');
    expect(await codeOf('10.0.0.9', key)).toBe('connected');
  });

  it('what a client writes into X-Forwarded-For is not believed without TRUST_PROXY', async () => {
    const { url } = await startApp({ ...PROXIED, TRUST_PROXY: '0', RATE_LIMIT_HANDSHAKES: LIMIT });
    const token = await signToken({ sub: 'u1', userType: 'user' });
    const codes = [];
    for (let i = 0; i <= BURST; i += 1) codes.push((await tryToConnect(url, `10.0.1.${i}`, token)).code);
    expect(codes.at(-1)).toBe('RATE_LIMITED');
  });

  it('after the time that each of these refusals named, the same passes', async () => {
    expect(later).toHaveLength(4);
    await wait(Math.max(...later.map(({ due }) => due)) - performance.now());
    for (const { ask, wanted } of later) expect(await ask()).toEqual(wanted);
  });
});
