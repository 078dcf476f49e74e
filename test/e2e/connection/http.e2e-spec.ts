import { connect } from 'node:net';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { startApp, type TestApp } from '../../support/app.js';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});

it.each(['/health/live', '/nowhere', '/socket.io/?EIO=4&transport=polling'])(
  'the answer of %s protects browsers, and does not say what made it',
  async (path) => {
    const { headers } = await fetch(server.url + path);
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.get('strict-transport-security')).toContain('max-age=');
  },
);

it('a request that is sent too slowly has an end: 10 s for its head, 30 s for all of it', async () => {
  const { hostname, port } = new URL(server.url);
  const http: Server = server.app.getHttpServer();
  expect([http.headersTimeout, http.requestTimeout]).toEqual([10_000, 30_000]);
  const startedAt = performance.now();
  const endOf = async (start: string): Promise<number> => {
    const connection = connect(Number(port), hostname);
    connection.on('error', () => undefined);
    connection.resume().write(start);
    await once(connection, 'close');
    return performance.now() - startedAt;
  };
  const ends = await Promise.all(['', 'GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: '].map(endOf));
  expect(Math.min(...ends)).toBeGreaterThan(9000);
  // Node by itself looks every 30 s.
  expect(Math.max(...ends)).toBeLessThan(25_000);
}, 60_000);

it('a request that is none is refused, and costs nobody else', async () => {
  const { hostname, port } = new URL(server.url);
  for (const garbage of [
    '\r\n\r\n\0',
    'GET / HTTP/9.9\r\n\r\n',
    `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
  ]) {
    const connection = connect(Number(port), hostname);
    connection.on('error', () => undefined);
    connection.resume().write(garbage);
    await once(connection, 'close');
  }
  expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
});
