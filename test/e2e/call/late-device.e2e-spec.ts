import { CallRepository } from '../../../src/call/call.repository.js';
import { decodeAgoraToken } from '../../support/agora.js';
import { startApp, type TestApp } from '../../support/app.js';
import { answer, arrivalsBarrier, callIn, ring, ringsAt, told } from '../../support/calls.js';
import { closeAfterTest } from '../../support/cleanup.js';
import { connectAll, connectAs } from '../../support/client.js';
import { barrier } from '../../support/direct-chat.js';
import { newPair } from '../../support/pair.js';
import { asha, mallory, ravi } from '../../support/pair-of-test.js';
import { Signal } from '../../support/signal.js';
import { admin, astrologer, type Person, user } from '../../support/token.js';

let server: TestApp;
let url: string;

beforeAll(async () => {
  server = await startApp();
  ({ url } = server);
});

describe('a device that connects while a call rings', () => {
  it('rings, with a token of its own', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const { callId } = await ring(a, ravi);
    const first = await ringsAt(r, callId);
    const late = await ringsAt(await connectAs(url, ravi), callId);
    expect({ ...late, agoraToken: '' }).toEqual({ ...first, agoraToken: '' });
    expect(late.agoraToken).not.toBe(first.agoraToken);
    expect(decodeAgoraToken(late.agoraToken)).toMatchObject({ channelName: first.channelName });
  });

  it('rings after it was greeted, and once', async () => {
    const a = await connectAs(url, asha);
    const { callId } = await ring(a, ravi);
    const [r1, r2] = await connectAll(url, ravi, ravi);
    for (const device of [r1, r2]) await ringsAt(device, callId);
    await arrivalsBarrier(url);
    for (const device of [r1, r2]) {
      expect(device.received.map(({ event }) => event)).toEqual(['connected', 'call:incoming']);
      expect(device.received.map(({ args }) => args.length)).toEqual([1, 1]);
    }
  });

  it('may answer, and is told how it goes on', async () => {
    const [a, r] = await connectAll(url, asha, ravi);
    const { callId } = await ring(a, ravi);
    const [one, two] = await connectAll(url, ravi, ravi);
    for (const device of [one, two]) await ringsAt(device, callId);
    await answer(one, callId);
    for (const device of [r, two])
      expect(await device.waitFor('call:end')).toMatchObject({ callId, reason: 'answered_elsewhere' });
  });

  it('rings for each admin who comes', async () => {
    const [a] = await connectAll(url, asha);
    const { callId } = await ring(a, admin());
    const staff = await connectAll(url, admin('one'), admin('two'));
    for (const client of staff) await ringsAt(client, callId);
    await a.ask('call:end', { callId });
  });

  it('rings for all calls to the admins', async () => {
    const [a, m] = await connectAll(url, asha, mallory);
    const calls = [await ring(a, admin()), await ring(m, admin())];
    const boss = await connectAs(url, admin('boss'));
    for (const { callId } of calls) await ringsAt(boss, callId);
    await a.ask('call:end', { callId: calls[0]?.callId });
    await m.ask('call:end', { callId: calls[1]?.callId });
  });

  it('rings for each of many who come at once', async () => {
    const pairs = Array.from({ length: 10 }, () => newPair());
    const calls = await Promise.all(
      pairs.map(async (pair) => ring(await connectAs(url, pair.asha), pair.ravi)),
    );
    await Promise.all(
      pairs.map(async (pair, i) => ringsAt(await connectAs(url, pair.ravi), calls[i]?.callId ?? '')),
    );
  });

  it('does not ring when it is the caller’s, or a namesake’s', async () => {
    const [a] = await connectAll(url, asha, ravi);
    const { callId } = await ring(a, ravi);
    const others: Person[] = [asha, mallory, user(ravi.id), astrologer(asha.id), admin(ravi.id)];
    const clients = await Promise.all(others.map((person) => connectAs(url, person)));
    await arrivalsBarrier(url);
    for (const client of clients) expect(told(client, callId)).toEqual([]);
  });

  it.each([
    ['accepted', [], ['call:accept']],
    ['connected', [], []],
    ['ended', ['call:end ended'], ['call:end ended']],
    ['rejected', ['call:end declined_elsewhere'], ['call:reject declined']],
    ['cancelled', ['call:end cancelled'], ['call:end cancelled']],
    ['missed', ['call:end missed'], ['call:end missed']],
  ] as const)(
    'does not ring when the call is %s by then: the callee’s is told %j, the caller’s %j',
    async (state, toCallee, toCaller) => {
      const [a, r] = await connectAll(url, asha, ravi);
      const callId = await callIn(state, server, [a, r, ravi]);
      const [r2, a2] = await connectAll(url, ravi, asha);
      await arrivalsBarrier(url);
      expect([told(r2, callId), told(a2, callId)]).toEqual([toCallee, toCaller]);
    },
  );

  it.each([
    ['call:accept', 'the same node', ['call:end answered_elsewhere']],
    ['call:reject', 'the same node', ['call:end declined_elsewhere']],
    // Without Redis the nodes do not hear each other.
    ['call:accept', 'another node', ['call:incoming', 'call:end accepted']],
    ['call:reject', 'another node', ['call:incoming', 'call:end rejected']],
  ] as const)('is not left ringing when %s comes just then to %s', async (event, where, heard) => {
    const elsewhere = where === 'another node' ? await startApp({ MONGODB_URI: server.mongoUri }) : server;
    const [a, r] = [await connectAs(url, asha), await connectAs(elsewhere.url, ravi)];
    const { callId } = await ring(a, ravi);
    if (elsewhere === server) await ringsAt(r, callId);
    await arrivalsBarrier(url);
    const repository = server.app.get(CallRepository, { strict: false });
    const findOpenOfAny = repository.findOpenOfAny.bind(repository);
    closeAfterTest(() => {
      repository.findOpenOfAny = findOpenOfAny;
    });
    const [read, decided] = [new Signal(), new Signal()];
    repository.findOpenOfAny = async (keys) => {
      const open = await findOpenOfAny(keys);
      read.give();
      await decided.given;
      return open;
    };
    const late = await connectAs(url, ravi);
    await read.given;
    await r.ask(event, { callId });
    decided.give();
    await late.waitFor('call:end', (end) => end.callId === callId);
    await arrivalsBarrier(url);
    expect(told(late, callId)).toEqual(heard);
  });

  it('rings once when it connected just before the call', async () => {
    for (let i = 0; i < 5; i += 1) {
      const pair = newPair();
      const [a, r] = await connectAll(url, pair.asha, pair.ravi);
      const { callId } = await ring(a, pair.ravi);
      await ringsAt(r, callId);
      await arrivalsBarrier(url);
      await barrier(a, pair.ravi, r);
      expect(told(r, callId)).toEqual(['call:incoming']);
    }
  });
});
