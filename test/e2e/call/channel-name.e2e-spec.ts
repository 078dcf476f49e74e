import { decodeAgoraToken } from '../../support/agora.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import { callTo, ring, ringsAt } from '../../support/calls.js';
import { connectAll, connectAs } from '../../support/client.js';
import { refusal } from '../../support/direct-chat.js';
import { asha, mallory, ravi } from '../../support/pair-of-test.js';
import { expectBadField } from '../../support/refusals.js';
import { astrologer } from '../../support/token.js';

let server: TestApp;
let url: string;

beforeAll(async () => {
  server = await startApp();
  ({ url } = server);
});

describe('the channelName of call:initiate', () => {
  it('is the server’s own without one: new, unguessable, and of Agora’s liking', async () => {
    const a = await connectAs(url, asha);
    const names: string[] = [];
    for (const channelName of [undefined, null]) {
      const call = await ring(a, ravi, { channelName });
      await a.ask('call:end', { callId: call.callId });
      names.push(call.channelName);
    }
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(names).size).toBe(2);
  });

  it.each(['x', 'call_1763800000000-42', 'c'.repeat(63), ' !#$%&()+-:;<=>?@[]^_{}|~,.'])(
    'is the client’s, if it is free: %j',
    async (channelName) => {
      const [a, r] = await connectAll(url, asha, ravi);
      const call = await ring(a, ravi, { channelName });
      expect(call.channelName).toBe(channelName);
      expect(decodeAgoraToken(call.agoraToken).channelName).toBe(channelName);
      expect(await ringsAt(r, call.callId)).toMatchObject({ channelName });
    },
  );

  it('is refused when it was used before, by whomever, also when that call is over', async () => {
    const [a, r, m] = await connectAll(url, asha, ravi, mallory);
    const channelName = `of ${asha.id}`;
    const { callId } = await ring(a, ravi, { channelName });
    await ringsAt(r, callId);
    const other = astrologer(`other-${ravi.id}`);
    const { code } = await refusal(m, 'call:initiate', callTo(other, { channelName }));
    expect(code).toBe('CONFLICT');
    await a.ask('call:end', { callId });
    const again = await refusal(a, 'call:initiate', callTo(other, { channelName }));
    expect([again.code, again.details]).toEqual(['CONFLICT', undefined]);
    expect((await ring(a, ravi)).status).toBe('ringing');
    expect(m.all('call:token')).toEqual([]);
  });

  it('is refused when a stream has it, or a call of the former backend, or when a stream could have it', async () => {
    const a = await connectAs(url, asha);
    await collectionOf(server, 'livestreams').insertOne({ channelName: 'of a stream' });
    await collectionOf(server, 'calls').insertOne({ channelName: 'of a former call', status: 'ended' });
    for (const channelName of ['of a stream', 'of a former call'])
      expect((await refusal(a, 'call:initiate', callTo(ravi, { channelName }))).code).toBe('CONFLICT');
    await expectBadField(a, 'call:initiate', callTo(ravi, { channelName: 'live-1' }), 'channelName');
    expect(a.all('call:token')).toEqual([]);
  });

  it.each(['', 'c'.repeat(64), 'c'.repeat(129), 'प'.repeat(22), 'a*', 'a"b', 'tab\t', 42, ['c'], { $ne: 1 }])(
    'is refused when Agora does not take it: %j',
    async (channelName) => {
      const a = await connectAs(url, asha);
      await expectBadField(a, 'call:initiate', callTo(ravi, { channelName }), 'channelName');
      expect(a.all('call:token')).toEqual([]);
    },
  );
});
