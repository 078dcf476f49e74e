import type { DirectMessagePayload } from '../../../src/contract/direct-message.js';
import { OpenRoomTimes } from '../../../src/open-rooms/open-room-times.js';
import { RoomMemory } from '../../../src/open-rooms/room-memory.js';
import { EmitterService } from '../../../src/realtime/emitter.service.js';
import { conversationRoom } from '../../../src/realtime/rooms.js';
import type { RealtimeServer } from '../../../src/realtime/socket.types.js';
import { startApp, type TestApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { withNodeTimes } from '../../support/presence.js';
import { startMongo, startServer, temporaryFolder } from '../../support/processes.js';
import { admin, type Person, user } from '../../support/token.js';
import { until } from '../../support/until.js';

const NEVER_MS = 3_600_000;
const conversationId = 'user_asha_ravi';

const withTimes = (times: Partial<OpenRoomTimes>) => ({
  provide: OpenRoomTimes,
  useValue: Object.assign(new OpenRoomTimes(), times),
});

const say = (client: TestClient, content: string, recipientId = 'ravi', recipientType = 'astrologer') =>
  client.ask<DirectMessagePayload>('dm:send_message', { recipientId, recipientType, content });

/** Whether an admin, who is no participant, gets the messages of the conversation: only its room brings them. */
async function hasItOpen(staff: TestClient, asha: TestClient): Promise<boolean> {
  const { id } = await say(asha, 'do you hear me?');
  const barrier = await say(asha, 'barrier', 'admin', 'admin');
  await staff.waitFor('dm:message_received', (message) => message.id === barrier.id);
  return staff.all('dm:message_received').some((message) => message.id === id);
}

/** Closes and waits until the server has noted it. */
async function closeAndWait(staff: TestClient, { app }: TestApp): Promise<void> {
  const id = staff.socket.id ?? '';
  const { guests } = app.get<{ guests: Map<string, unknown> }>(RoomMemory, { strict: false });
  expect(guests.has(id)).toBe(true);
  staff.close();
  await until(() => !guests.has(id));
}

async function open(url: string, person: Person): Promise<TestClient> {
  const client = await connectAs(url, person);
  await client.ask('dm:join_conversation', { conversationId });
  return client;
}

describe('rooms come back', () => {
  let testApp: TestApp;
  let url: string;
  let asha: TestClient;
  beforeAll(async () => {
    testApp = await startApp();
    ({ url } = testApp);
  });
  beforeEach(async () => {
    asha = await connectAs(url, user('asha'));
    await say(asha, 'the first makes the conversation');
  });

  it('after a reconnect the app had left its room and missed everything: now it is in it when it is greeted', async () => {
    const staff = await open(url, admin('back'));
    expect(await hasItOpen(staff, asha)).toBe(true);
    await closeAndWait(staff, testApp);
    expect(await hasItOpen(await connectAs(url, admin('back')), asha)).toBe(true);
  });

  it('again and again, also when nothing was joined in between', async () => {
    let staff = await open(url, admin('often'));
    for (let i = 0; i < 4; i += 1) {
      await closeAndWait(staff, testApp);
      staff = await connectAs(url, admin('often'));
      expect(await hasItOpen(staff, asha)).toBe(true);
    }
  });

  it('not what was left', async () => {
    const staff = await open(url, admin('left'));
    await staff.ask('dm:leave_conversation', { conversationId });
    await closeAndWait(staff, testApp);
    expect(await hasItOpen(await connectAs(url, admin('left')), asha)).toBe(false);
  });

  it('not what came back and was left then', async () => {
    await closeAndWait(await open(url, admin('later')), testApp);
    const second = await connectAs(url, admin('later'));
    await second.ask('dm:leave_conversation', { conversationId });
    await closeAndWait(second, testApp);
    expect(await hasItOpen(await connectAs(url, admin('later')), asha)).toBe(false);
  });

  it('all of them, when many were joined at once', async () => {
    const people = Array.from({ length: 50 }, (_, i) => `a${i}`);
    for (const id of people) await say(asha, 'hello', id);
    const staff = await connectAs(url, admin('many'));
    await Promise.all(
      people.map((id) => staff.ask('dm:join_conversation', { conversationId: `user_asha_${id}` })),
    );
    await closeAndWait(staff, testApp);
    const back = await connectAs(url, admin('many'));
    const sent = await Promise.all(people.map((id) => say(asha, 'again', id)));
    for (const { id } of sent) await back.waitFor('dm:message_received', (message) => message.id === id);
  });

  it('once: for the next device, not for the one after it; and not for anybody else', async () => {
    await closeAndWait(await open(url, admin('devices')), testApp);
    const stranger = await connectAs(url, admin('stranger'));
    const [first, second] = [await connectAs(url, admin('devices')), await connectAs(url, admin('devices'))];
    expect(await hasItOpen(first, asha)).toBe(true);
    expect(await hasItOpen(second, asha)).toBe(false);
    expect(await hasItOpen(stranger, asha)).toBe(false);
  });

  it('not on a device that was connected all the time', async () => {
    const phone = await connectAs(url, admin('two'));
    const tablet = await open(url, admin('two'));
    await closeAndWait(tablet, testApp);
    expect(await hasItOpen(phone, asha)).toBe(false);
  });

  it('not when the kind of room says no', async () => {
    const strict = await startApp();
    const writer = await connectAs(strict.url, user('asha'));
    await say(writer, 'hello');
    const asked: string[] = [];
    strict.app.get(RoomMemory, { strict: false }).register('conversation', {
      roomOf: conversationRoom,
      canReturn: ({ id }, room) => {
        asked.push(`${id} ${room}`);
        if (id === 'breaks') throw new Error('as the test wants it');
        return id !== 'banned';
      },
    });
    for (const id of ['banned', 'breaks', 'welcome']) {
      await closeAndWait(await open(strict.url, admin(id)), strict);
      expect(await hasItOpen(await connectAs(strict.url, admin(id)), writer)).toBe(id === 'welcome');
      expect(asked.at(-1)).toBe(`${id} ${conversationId}`);
    }
  });

  it('not after the time for it', async () => {
    const hasty = await startApp({}, [], [withTimes({ returnMs: 0 })]);
    const writer = await connectAs(hasty.url, user('asha'));
    await say(writer, 'hello');
    await closeAndWait(await open(hasty.url, admin('late')), hasty);
    expect(await hasItOpen(await connectAs(hasty.url, admin('late')), writer)).toBe(false);
  });

  it('for whoever is back before the server noticed that the old socket had died', async () => {
    const node = await startApp({}, [], [withTimes({ lookAgainMs: [1000, 2000, 4000, 8000] })]);
    const { server } = node.app.get<{ server: RealtimeServer }>(EmitterService, { strict: false });
    Object.assign(server.engine.opts, { pingInterval: 1500, pingTimeout: 1500 });
    const writer = await connectAs(node.url, user('asha'));
    await say(writer, 'hello');
    const old = await open(node.url, admin('mobile'));
    // As if the network were gone: nothing of it reaches the server any more, and nobody says goodbye.
    Object.assign(old.socket.io.engine, { _sendPacket: () => undefined });
    const back = await connectAs(node.url, admin('mobile'));
    await until(() => hasItOpen(back, writer));
  });
});

describe('rooms come back when a node dies', () => {
  it('SIGKILL right after the ack: the next start knows', async () => {
    const mongo = await startMongo(await temporaryFolder());
    const dataDir = await temporaryFolder();
    const first = await startServer(dataDir, { MONGODB_URI: mongo.address });
    await say(await connectAs(first.address, user('asha')), 'hello');
    await open(first.address, admin('root'));
    await first.stop('SIGKILL');

    const second = await startServer(dataDir, { MONGODB_URI: mongo.address });
    const [staff, asha] = [
      await connectAs(second.address, admin('root')),
      await connectAs(second.address, user('asha')),
    ];
    expect(await hasItOpen(staff, asha)).toBe(true);

    expect(await second.stop('SIGTERM')).toBe(0);
    const third = await startServer(dataDir, { MONGODB_URI: mongo.address });
    expect(
      await hasItOpen(
        await connectAs(third.address, admin('root')),
        await connectAs(third.address, user('asha')),
      ),
    ).toBe(true);
    await third.stop();
    await mongo.stop();
  });

  it('on another node, as soon as the loss is known', async () => {
    const dying = await startApp({}, [], [withNodeTimes({ beatIntervalMs: NEVER_MS })]);
    const writer = await connectAs(dying.url, user('asha'));
    await say(writer, 'hello');
    await open(dying.url, admin('root'));
    const living = await startApp(
      { MONGODB_URI: dying.mongoUri },
      [],
      [withNodeTimes({ beatIntervalMs: 100, silenceMs: 2500 }), withTimes({ lookAgainMs: [NEVER_MS] })],
    );
    const staff = await connectAs(living.url, admin('root'));
    const asha = await connectAs(living.url, user('asha'));
    await until(() => hasItOpen(staff, asha));
  });
});
