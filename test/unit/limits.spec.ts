import 'reflect-metadata';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { RATE_LIMITS, readRateLimit, windowSecondsOf } from '../../src/config/rate-limits.js';
import { CLASSED_EVENTS } from '../../src/limits/event-classes.js';
import { clientAddress } from '../../src/limits/client-address.js';

const ROOT = join(import.meta.dirname, '../..');

describe('the table of rate limits', () => {
  it('has windows of whole seconds, which Redis needs', () => {
    for (const limit of Object.values(RATE_LIMITS))
      expect([limit.variable, Number.isInteger(windowSecondsOf(limit))]).toEqual([limit.variable, true]);
  });

  it('is the one in docs/events.md and in the README', () => {
    const [events, readme] = ['docs/events.md', 'README.md'].map((file) =>
      readFileSync(join(ROOT, file), 'utf8'),
    );
    for (const { variable, points, seconds, burst } of Object.values(RATE_LIMITS)) {
      const figures = burst === points ? `${points}/${seconds}` : `${points}/${seconds}/${burst}`;
      expect([
        variable,
        new RegExp(`^\\| \`${variable}\` +\\| \`${figures}\` `, 'm').test(readme ?? ''),
      ]).toEqual([variable, true]);
      expect([variable, events?.includes(`\`${variable}\``)]).toEqual([variable, true]);
    }
  });

  it('names no event that nobody handles', () => {
    const gateways = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.gateway.ts'))
      .map((file) => readFileSync(join(ROOT, 'src', file), 'utf8'))
      .join('\n');
    const isHandled = (event: string): boolean => gateways.includes(`@SubscribeMessage('${event}')`);
    expect(CLASSED_EVENTS.filter((event) => !isHandled(event))).toEqual([]);
  });

  it.each([
    ['10/1/30', { points: 10, seconds: 1, burst: 30 }],
    ['10/60', { points: 10, seconds: 60, burst: 10 }],
    ['10/1/25', undefined],
    ['10/1/5', undefined],
    ['0/1', undefined],
    ['10/0', undefined],
    ['-1/1', undefined],
    ['10', undefined],
    ['ten/1', undefined],
  ])('%s', (text, limit) => {
    expect(readRateLimit(text)).toEqual(limit);
  });
});

describe('the address of a client', () => {
  const addressOf = (remoteAddress: string | undefined, forwarded: string | undefined, hops: number) =>
    clientAddress(
      { socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } } as unknown as IncomingMessage,
      (_address, hop) => hop < hops,
    );

  it.each([
    ['10.0.0.1', undefined, 0, '10.0.0.1'],
    ['10.0.0.1', '1.2.3.4', 0, '10.0.0.1'],
    ['10.0.0.1', '6.6.6.6, 1.2.3.4', 1, '1.2.3.4'],
    ['10.0.0.1', '6.6.6.6, 1.2.3.4', 2, '6.6.6.6'],
    ['10.0.0.1', '6.6.6.6', 5, '6.6.6.6'],
    ['10.0.0.1', undefined, 1, '10.0.0.1'],
    ['::ffff:10.0.0.1', undefined, 0, '10.0.0.1'],
    ['10.0.0.1', '1.2.3.4:5678', 1, '1.2.3.4'],
    ['10.0.0.1', '[2001:db8:0:1::2]:5678', 1, '2001:db8:0:1::/64'],
    ['10.0.0.1', '[2001:db8:0:1::2]', 1, '2001:db8:0:1::/64'],
    ['10.0.0.1', '[1.2.3.4', 1, 'unknown'],
    ['2001:db8:0:1:2:3:4:5', undefined, 0, '2001:db8:0:1::/64'],
    ['2001:0db8::1', undefined, 0, '2001:db8:0:0::/64'],
    ['fe80::1%eth0', undefined, 0, 'fe80:0:0:0::/64'],
    ['::1', undefined, 0, '0:0:0:0::/64'],
    ['10.0.0.1', 'no address at all', 1, 'unknown'],
    [undefined, undefined, 0, 'unknown'],
  ])('from %p, forwarded for %p, behind %i proxies: %p', (remote, forwarded, hops, address) => {
    expect(addressOf(remote, forwarded, hops)).toBe(address);
  });
});
