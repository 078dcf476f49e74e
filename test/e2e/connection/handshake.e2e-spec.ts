import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import mongoose from 'mongoose';
import { closeAfterAll } from '../../support/cleanup.js';
import { startApp, type TestApp } from '../../support/app.js';
import { connectAs, connectRefused, openClient } from '../../support/client.js';
import { admin, astrologer, signToken, TEST_SECRET, tokenFor, user } from '../../support/token.js';

const ADMIN_KEY = 'an-admin-key-for-tests';

describe('handshake with HS256', () => {
  let url: string;
  let mongoUri: string;
  beforeAll(async () => {
    ({ url, mongoUri } = await startApp({ ADMIN_SECRET_KEY: ADMIN_KEY }));
  });

  const refusal = async (token?: unknown) =>
    (await connectRefused(url, token === undefined ? {} : { auth: { token } })).data;

  it('greets an identity with who it is', async () => {
    const { greeting, socket } = await connectAs(url, {
      ...user('u1'),
      name: 'Asha',
      avatar: 'https://img.example/a.png',
    });
    expect(greeting).toEqual({
      socketId: socket.id,
      user: {
        id: 'u1',
        name: 'Asha',
        avatar: 'https://img.example/a.png',
        role: 'user',
        userType: 'user',
        isAnonymous: false,
      },
      timestamp: expect.any(Number),
    });
    expect(Number.isInteger(greeting.timestamp)).toBe(true);
  });

  it('lets in every type of identity: user identities can log in', async () => {
    for (const person of [user('u1'), astrologer('a1'), admin('root')]) {
      const { greeting } = await connectAs(url, person);
      expect(greeting.user).toMatchObject({ id: person.id, userType: person.type });
    }
  });

  it('sends exactly one argument with the greeting', async () => {
    const client = await connectAs(url, user('u1'));
    expect(client.received[0]?.args).toHaveLength(1);
  });

  it('takes the token from an Authorization header', async () => {
    const token = await tokenFor(user('u2'));
    const client = openClient(url, { extraHeaders: { Authorization: `Bearer ${token}` } });
    expect((await client.waitFor('connected')).user.id).toBe('u2');
  });

  it('works over polling too', async () => {
    const { greeting } = await connectAs(url, user('u3'), { transports: ['polling'] });
    expect(greeting.user.id).toBe('u3');
  });

  it("reads the mobile app's claims: astrologerId and sessionId", async () => {
    const token = await signToken({ astrologerId: 'a7', sessionId: 's1' });
    const client = openClient(url, { auth: { token } });
    expect((await client.waitFor('connected')).user).toMatchObject({
      id: 'a7',
      userType: 'astrologer',
      name: '',
    });
  });

  it('looks up the name and picture that a token does not carry', async () => {
    const connection = await mongoose.createConnection(mongoUri, { dbName: 'samvad' }).asPromise();
    const objectId = new mongoose.Types.ObjectId();
    await connection
      .collection('astrologers')
      .insertOne({ _id: objectId, name: 'Ravi', profilePicture: 'https://img.example/r.png' });
    await connection
      .collection<{ _id: string; name: string }>('users')
      .insertOne({ _id: 'plain-id', name: 'Meena' });
    await connection.close();

    const astro = openClient(url, {
      auth: { token: await signToken({ astrologerId: objectId.toHexString(), sessionId: 's' }) },
    });
    expect((await astro.waitFor('connected')).user).toMatchObject({
      name: 'Ravi',
      avatar: 'https://img.example/r.png',
    });
    const plain = openClient(url, {
      auth: { token: await signToken({ sub: 'plain-id', userType: 'user' }) },
    });
    expect((await plain.waitFor('connected')).user).toMatchObject({ name: 'Meena', avatar: '' });
  });

  it('refuses a session that another login replaced, at once', async () => {
    const connection = await mongoose.createConnection(mongoUri, { dbName: 'samvad' }).asPromise();
    closeAfterAll(() => connection.close());
    const astrologers = connection.collection<{ _id: string }>('astrologers');
    await astrologers.insertOne({ _id: 'a9', name: 'Dev', activeSession: { sessionId: 'first' } } as {
      _id: string;
    });
    const first = await signToken({ astrologerId: 'a9', sessionId: 'first' });
    await openClient(url, { auth: { token: first } }).waitFor('connected');

    await astrologers.updateOne({ _id: 'a9' }, { $set: { 'activeSession.sessionId': 'second' } });
    expect(await refusal(first)).toMatchObject({ code: 'UNAUTHENTICATED' });
    const second = await signToken({ astrologerId: 'a9', sessionId: 'second' });
    await openClient(url, { auth: { token: second } }).waitFor('connected');
  });

  it('knows the admin key', async () => {
    const client = openClient(url, { auth: { token: ADMIN_KEY } });
    expect((await client.waitFor('connected')).user).toMatchObject({
      id: 'admin',
      userType: 'admin',
      role: 'admin',
      name: 'Admin',
    });
  });

  it('a missing, bad or expired token does not make the socket anonymous', async () => {
    const isUnauthenticated = { code: 'UNAUTHENTICATED', message: expect.any(String), retryable: false };
    expect(await refusal()).toEqual(isUnauthenticated);
    expect(await refusal('')).toEqual(isUnauthenticated);
    expect(await refusal(42)).toEqual(isUnauthenticated);
    expect(await refusal({ $ne: null })).toEqual(isUnauthenticated);
    expect(await refusal('not-a-token')).toEqual(isUnauthenticated);
    expect(await refusal('x'.repeat(20_000))).toEqual(isUnauthenticated);
    expect(
      await refusal(
        await signToken({ sub: 'u1', userType: 'user' }, { secret: 'another-secret-another-secret-123' }),
      ),
    ).toEqual(isUnauthenticated);
    expect(await refusal(await signToken({ sub: 'u1', userType: 'user' }, { expiresIn: -60 }))).toMatchObject(
      { code: 'TOKEN_EXPIRED' },
    );
  });

  it('a default admin key is not accepted', async () => {
    for (const key of [
      'admin123',
      'your_admin_secret_key',
      `${ADMIN_KEY} `,
      ADMIN_KEY.slice(0, -1),
      `Bearer ${ADMIN_KEY}`,
    ]) {
      expect(await refusal(key)).toMatchObject({ code: 'UNAUTHENTICATED' });
    }
  });

  it('without ADMIN_SECRET_KEY no key is an admin', async () => {
    const { url: keyless } = await startApp();
    for (const token of ['admin123', 'your_admin_secret_key', 'undefined', 'null', ADMIN_KEY]) {
      expect((await connectRefused(keyless, { auth: { token } })).data).toMatchObject({
        code: 'UNAUTHENTICATED',
      });
    }
  });

  it.each(['Bearer nonsense', 'Bearer ', 'Basic dTpw', ADMIN_KEY])(
    'refuses the Authorization header %p',
    async (header) => {
      const { data } = await connectRefused(url, { extraHeaders: { Authorization: header } });
      expect(data).toMatchObject({ code: 'UNAUTHENTICATED' });
    },
  );

  it('refuses another algorithm with the right secret, and a token of the future', async () => {
    const key = new TextEncoder().encode(TEST_SECRET);
    const hs512 = new SignJWT({ sub: 'u1', userType: 'user' })
      .setProtectedHeader({ alg: 'HS512' })
      .setExpirationTime('1h');
    expect(await refusal(await hs512.sign(key))).toMatchObject({ code: 'UNAUTHENTICATED' });
    const early = new SignJWT({ sub: 'u1', userType: 'user' })
      .setProtectedHeader({ alg: 'HS256' })
      .setNotBefore('1h')
      .setExpirationTime('2h');
    expect(await refusal(await early.sign(key))).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('a token with sub and astrologerId is the astrologer, unless it names a type', async () => {
    const mixed = openClient(url, {
      auth: { token: await signToken({ sub: 'account-1', astrologerId: 'a7', sessionId: 's' }) },
    });
    expect((await mixed.waitFor('connected')).user).toMatchObject({ id: 'a7', userType: 'astrologer' });
    const typed = openClient(url, {
      auth: { token: await signToken({ sub: 'u7', userType: 'user', astrologerId: 'a7' }) },
    });
    expect((await typed.waitFor('connected')).user).toMatchObject({ id: 'u7', userType: 'user' });
  });

  it('refuses unsigned tokens and tokens without an expiry', async () => {
    const unsigned = new UnsecuredJWT({ userType: 'admin' })
      .setSubject('root')
      .setExpirationTime('1h')
      .encode();
    const eternal = await new SignJWT({ sub: 'u1', userType: 'user' })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(TEST_SECRET));
    expect(await refusal(unsigned)).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await refusal(eternal)).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it.each([
    ['no identity at all', {}],
    ['no type', { sub: 'u1' }],
    ['an unknown type', { sub: 'u1', userType: 'superuser' }],
    ['a type from the prototype', { sub: 'u1', userType: 'constructor' }],
    ['an id with a space', { sub: 'u 1', userType: 'user' }],
    ['an id with a control character', { sub: 'u\u00001', userType: 'user' }],
    ['an id of 65 characters', { sub: 'u'.repeat(65), userType: 'user' }],
    ['an empty id', { sub: '', userType: 'user' }],
    ['a sub alone', { sub: 'u1' }],
    ['a session that is no text', { astrologerId: 'a1', sessionId: 7 }],
    ['an id that is no text', { astrologerId: { $ne: null } }],
  ])('refuses a token with %s', async (_, claims) => {
    expect(await refusal(await signToken(claims as JWTPayload))).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('survives a flood of bad tokens and goes on serving', async () => {
    const flood = Array.from({ length: 200 }, (_, i) => connectRefused(url, { auth: { token: `bad-${i}` } }));
    const codes = (await Promise.all(flood)).map(({ data }) => data?.code);
    expect(new Set(codes)).toEqual(new Set(['UNAUTHENTICATED']));
    expect((await connectAs(url, user('u1'))).greeting.user.id).toBe('u1');
  });
});

describe('handshake with issuer and audience', () => {
  let url: string;
  beforeAll(async () => {
    ({ url } = await startApp({ JWT_ISSUER: 'https://id.example', JWT_AUDIENCE: 'chat' }));
  });

  it('wants both to fit', async () => {
    const claims = { sub: 'u1', userType: 'user' };
    const good = await signToken({ ...claims, iss: 'https://id.example', aud: 'chat' });
    await openClient(url, { auth: { token: good } }).waitFor('connected');
    const wrong: JWTPayload[] = [
      claims,
      { ...claims, iss: 'https://id.example' },
      { ...claims, iss: 'https://evil.example', aud: 'chat' },
      { ...claims, iss: 'https://id.example', aud: 'shop' },
    ];
    for (const bad of wrong) {
      expect((await connectRefused(url, { auth: { token: await signToken(bad) } })).data).toMatchObject({
        code: 'UNAUTHENTICATED',
      });
    }
  });
});

describe.each([
  ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
])('handshake with a public key (%s)', (alg, { publicKey, privateKey }) => {
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const sign = () =>
    new SignJWT({ sub: 'u1', userType: 'user' })
      .setProtectedHeader({ alg, kid: 'k1' })
      .setExpirationTime('1h')
      .sign(privateKey);
  let app: TestApp;
  beforeAll(async () => {
    // The line breaks written as \n, as environment files have them.
    app = await startApp({ JWT_SECRET: '', JWT_PUBLIC_KEY: pem.replaceAll('\n', '\\n') });
  });

  it('lets in what the private key signed', async () => {
    await openClient(app.url, { auth: { token: await sign() } }).waitFor('connected');
  });

  it('does not take the public key for a shared secret', async () => {
    const forged = await signToken({ sub: 'root', userType: 'admin' }, { secret: pem });
    expect((await connectRefused(app.url, { auth: { token: forged } })).data).toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });
});

describe('handshake with a key set', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  let keyServer: Server;
  let url: string;
  let isBroken = false;

  beforeAll(async () => {
    const keys = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }];
    keyServer = createServer((_, response) => {
      response
        .writeHead(isBroken ? 500 : 200, { 'content-type': 'application/json' })
        .end(isBroken ? 'no' : JSON.stringify({ keys }));
    });
    await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve));
    closeAfterAll(() => keyServer.close());
    const { port } = keyServer.address() as AddressInfo;
    ({ url } = await startApp({ JWT_SECRET: '', JWKS_URL: `http://127.0.0.1:${port}/jwks.json` }));
  });

  const sign = (kid: string) =>
    new SignJWT({ sub: 'u1', userType: 'user' })
      .setProtectedHeader({ alg: 'RS256', kid })
      .setExpirationTime('1h')
      .sign(privateKey);

  it('says UNAVAILABLE, not that the token is bad, while the key set cannot be fetched', async () => {
    isBroken = true;
    const { data } = await connectRefused(url, { auth: { token: await sign('k1') } });
    expect(data).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    isBroken = false;
  });

  it('lets in what a key of the set signed, and nothing else', async () => {
    await openClient(url, { auth: { token: await sign('k1') } }).waitFor('connected');
    expect((await connectRefused(url, { auth: { token: await sign('k2') } })).data).toMatchObject({
      code: 'UNAUTHENTICATED',
    });
    expect(
      (await connectRefused(url, { auth: { token: await signToken({ sub: 'u1', userType: 'user' }) } })).data,
    ).toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });
});
