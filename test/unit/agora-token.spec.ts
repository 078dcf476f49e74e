import { tmpdir } from 'node:os';
import { AgoraTokenService } from '../../src/agora/agora-token.service.js';
import { isChannelName, newChannelName } from '../../src/agora/channel-name.js';
import { parseConfig } from '../../src/config/config.js';
import { decodeAgoraToken, isSignedWith } from '../support/agora.js';
import { TEST_SECRET } from '../support/token.js';

const APP_ID = '0123456789abcdef0123456789abcdef';
const CERTIFICATE = 'fedcba9876543210fedcba9876543210';
const OTHER_CERTIFICATE = 'fedcba9876543210fedcba9876543211';
const TTL_SECONDS = 3600;
const NOT_CONFIGURED = expect.objectContaining({ name: 'AppError', code: 'AGORA_NOT_CONFIGURED' });

function serviceWith(variables: Record<string, string>): AgoraTokenService {
  return new AgoraTokenService(
    parseConfig({ DATA_DIR: tmpdir(), JWT_SECRET: TEST_SECRET, NODE_ENV: 'test', ...variables }),
  );
}

const tokens = serviceWith({ AGORA_APP_ID: APP_ID, AGORA_APP_CERTIFICATE: CERTIFICATE });
const KINDS = ['publisherToken', 'subscriberToken'] as const;

describe.each(KINDS)('%s', (kind) => {
  it('is for one channel of the app, and for whichever uid', () => {
    const { agoraToken, ...rest } = tokens[kind]('a channel');
    expect(rest).toEqual({
      agoraAppId: APP_ID,
      channelName: 'a channel',
      uid: 0,
      expiresAt: expect.any(Date),
    });
    expect(decodeAgoraToken(agoraToken)).toMatchObject({ appId: APP_ID, channelName: 'a channel', uid: 0 });
  });

  it('Absolute timestamps passed where seconds from now are meant: tokens valid until 2083', () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const { issuedAt, expireSeconds, privileges } = decodeAgoraToken(tokens[kind]('c').agoraToken);
    expect(issuedAt.getTime()).toBeGreaterThanOrEqual(before);
    expect(issuedAt.getTime()).toBeLessThanOrEqual(Date.now());
    expect(expireSeconds).toBe(TTL_SECONDS);
    expect(new Set(Object.values(privileges))).toEqual(new Set([TTL_SECONDS]));
  });

  it('says no later expiry than the token has', () => {
    const before = Date.now();
    const { agoraToken, expiresAt } = tokens[kind]('c');
    const { issuedAt, expireSeconds } = decodeAgoraToken(agoraToken);
    expect(expiresAt.getTime()).toBeLessThanOrEqual(issuedAt.getTime() + expireSeconds * 1000);
    // Nor one that is earlier by more than the second that the token rounds off.
    expect(expiresAt.getTime()).toBeGreaterThan(before + (TTL_SECONDS - 1) * 1000);
  });

  it('is signed with the certificate, and with no other', () => {
    const { agoraToken } = tokens[kind]('c');
    expect(isSignedWith(agoraToken, CERTIFICATE)).toBe(true);
    expect(isSignedWith(agoraToken, OTHER_CERTIFICATE)).toBe(false);
    const others = serviceWith({ AGORA_APP_ID: APP_ID, AGORA_APP_CERTIFICATE: OTHER_CERTIFICATE });
    expect(isSignedWith(others[kind]('c').agoraToken, CERTIFICATE)).toBe(false);
  });

  it.each(['60', '86400'])('is valid for %s s when that is configured', (seconds) => {
    const short = serviceWith({
      AGORA_APP_ID: APP_ID,
      AGORA_APP_CERTIFICATE: CERTIFICATE,
      AGORA_TOKEN_TTL_SECONDS: seconds,
    });
    const before = Date.now();
    const { agoraToken, expiresAt } = short[kind]('c');
    const { expireSeconds, privileges } = decodeAgoraToken(agoraToken);
    expect(new Set([expireSeconds, ...Object.values(privileges)])).toEqual(new Set([Number(seconds)]));
    expect(expiresAt.getTime()).toBeGreaterThan(before + (Number(seconds) - 1) * 1000);
    expect(expiresAt.getTime()).toBeLessThanOrEqual(Date.now() + Number(seconds) * 1000);
  });

  it.each(['', '*', 'x'.repeat(64)])('is not made for %j, which is no channel’s name', (name) => {
    expect(() => tokens[kind](name)).toThrow('Agora takes no such name for a channel.');
  });

  it('is made with an app that cannot exist when a developer has no credentials', () => {
    const { agoraToken, agoraAppId } = serviceWith({})[kind]('c');
    expect(agoraAppId).toBe('0'.repeat(32));
    expect(decodeAgoraToken(agoraToken)).toMatchObject({ appId: agoraAppId, channelName: 'c' });
  });

  it('is refused in production without credentials', () => {
    const unconfigured = serviceWith({ NODE_ENV: 'production', MONGODB_URI: 'mongodb://db:27017/app' });
    let refusal: unknown;
    try {
      unconfigured[kind]('c');
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toEqual(NOT_CONFIGURED);
  });
});

describe('privileges', () => {
  it('a publisher may join, and publish audio, video and data', () => {
    expect(decodeAgoraToken(tokens.publisherToken('c').agoraToken).privileges).toStrictEqual({
      join: TTL_SECONDS,
      publishAudio: TTL_SECONDS,
      publishVideo: TTL_SECONDS,
      publishData: TTL_SECONDS,
    });
  });

  it('"Subscriber" tokens that can publish', () => {
    // Absent, not 0: that would let publish for as long as the token is valid.
    expect(decodeAgoraToken(tokens.subscriberToken('c').agoraToken).privileges).toStrictEqual({
      join: TTL_SECONDS,
    });
  });
});

describe('names of channels', () => {
  const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
  const ALLOWED = `${LETTERS}${LETTERS.toUpperCase()}0123456789 !#$%&()+-:;<=.>?@[]^_{}|~,`;

  it('have exactly the characters that Agora documents', () => {
    const all = Array.from({ length: 0x250 }, (_, code) => String.fromCodePoint(code));
    expect(all.filter((character) => isChannelName(character)).join('')).toBe(
      Array.from(ALLOWED).toSorted().join(''),
    );
  });

  it.each([
    ['one byte', 'x', true],
    ['63 bytes', 'x'.repeat(63), true],
    ['Channel names over 64 bytes', 'x'.repeat(65), false],
    ['64 bytes', 'x'.repeat(64), false],
    ['nothing', '', false],
    ['63 characters of more bytes', 'é'.repeat(63), false],
    ['a line break at the end', 'x\n', false],
    ['a zero byte', 'x\0', false],
  ])('may be of %s: %j %p', (_, name, isOne) => {
    expect(isChannelName(name)).toBe(isOne);
  });

  it('of the server’s own fit, and have 128 random bits', () => {
    const names = Array.from({ length: 1000 }, newChannelName);
    expect(names.every(isChannelName)).toBe(true);
    expect(new Set(names).size).toBe(names.length);
    expect(names.every((name) => /^[0-9a-f]{32}$/.test(name))).toBe(true);
    // Every bit of them varies: the chance that one of 128 is the same a thousand times is nil.
    const numbers = names.map((name) => BigInt(`0x${name}`));
    const ALL = 2n ** 128n - 1n;
    expect(numbers.reduce((a, b) => a | b)).toBe(ALL);
    expect(numbers.reduce((a, b) => a & b)).toBe(0n);
  });
});
