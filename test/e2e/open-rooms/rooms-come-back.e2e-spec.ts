import { jest } from '@jest/globals';
import { mongo as driver } from 'mongoose';
import { OpenRoomTimes } from '../../../src/open-rooms/open-room-times.js';
import { OpenRoomsRepository } from '../../../src/open-rooms/open-rooms.repository.js';
import type { OpenRooms } from '../../../src/open-rooms/open-rooms.schema.js';
import { RoomMemory } from '../../../src/open-rooms/room-memory.js';
import { conversationRoom } from '../../../src/realtime/rooms.js';
import { collectionOf, startApp, type TestApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { silence } from '../../support/cut-off.js';
import { barrier, sendTo } from '../../support/direct-chat.js';
import { withNodeTimes } from '../../support/presence.js';
import { startMongo, startServer, temporaryFolder } from '../../support/processes.js';
import { admin, astrologer, type Person, user } from '../../support/token.js';
import { until } from '../../support/until.js';

const NEVER_MS = 3_600_000;
const conversationId = 'user_asha_ravi';

const withTimes = (times: Partial<OpenRoomTimes>) => ({
  provide: OpenRoomTimes,
  useValue: Object.assign(new OpenRoomTimes(), times),
});

const say = (client: TestClient, content: string, recipientId = 'ravi') =>
  sendTo(client, astrologer(recipientId), { content });

/** Whether an admin, who is no participant, gets the messages of the conversation: only its room brings them. */
async function hasItOpen(staff: TestClient, asha: TestClient): Promise<boolean> {
  const { id } = await say(asha, 'do you hear me?');
  await barrier(asha, admin(), staff);
  return staff.all('dm:message_received').some((message) => message.id === id);
}

const storedRooms = (testApp: TestApp) => collectionOf<OpenRooms>(testApp, 'openrooms');

/** Closes and waits until it is noted. */
async function closeAndWait(staff: TestClient, testApp: TestApp): Promise<void> {
  const stored = storedRooms(testApp);
  const { id: _id = '' } = staff.socket;
  expect(await stored.findOne({ _id })).toMatchObject({ _id });
  staff.close();
  await until(async () => (await stored.findOne({ _id, goneAt: { $exists: true } })) !== null);
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
    expect(back.all('dm:message_received')).toHaveLength(people.length);
  });

  it('for every device that comes, and not for anybody else', async () => {
    await closeAndWait(await open(url, admin('devices')), testApp);
    const stranger = await connectAs(url, admin('stranger'));
    const [first, second] = [await connectAs(url, admin('devices')), await connectAs(url, admin('devices'))];
    expect(await hasItOpen(first, asha)).toBe(true);
    expect(await hasItOpen(second, asha)).toBe(true);
    expect(await hasItOpen(stranger, asha)).toBe(false);
  });

  it('what one device left, for another that had it open, too', async () => {
    const [phone, tablet] = [await open(url, admin('both')), await open(url, admin('both'))];
    await phone.ask('dm:leave_conversation', { conversationId });
    await closeAndWait(phone, testApp);
    await closeAndWait(tablet, testApp);
    expect(await hasItOpen(await connectAs(url, admin('both')), asha)).toBe(true);
  });

  it('what was left and opened once more', async () => {
    await closeAndWait(await open(url, admin('twice')), testApp);
    const second = await connectAs(url, admin('twice'));
    await second.ask('dm:leave_conversation', { conversationId });
    await closeAndWait(second, testApp);
    await closeAndWait(await open(url, admin('twice')), testApp);
    expect(await hasItOpen(await connectAs(url, admin('twice')), asha)).toBe(true);
  });

  it('leaves nothing behind that looks open', async () => {
    for (let i = 0; i < 3; i += 1) {
      const staff = await open(url, admin('tidy'));
      await staff.ask('dm:leave_conversation', { conversationId });
      await closeAndWait(staff, testApp);
    }
    (await connectAs(url, admin('tidy'))).close();
    await closeAndWait(await open(url, admin('tidy')), testApp);
    expect(
      await storedRooms(testApp).countDocuments({ identity: 'admin:tidy', goneAt: { $exists: false } }),
    ).toBe(0);
  });

  it('a little later, when the database could not be asked at once, and not what was left by then', async () => {
    const node = await startApp({}, [], [withTimes({ retryMs: 300 })]);
    const writer = await connectAs(node.url, user('asha'));
    await say(writer, 'hello');
    await say(writer, 'hello', 'tara');
    const staff = await open(node.url, admin('patient'));
    await staff.ask('dm:join_conversation', { conversationId: 'user_asha_tara' });
    await closeAndWait(staff, node);
    const repository = node.app.get(OpenRoomsRepository, { strict: false });
    const find = jest.spyOn(repository, 'findBeside').mockRejectedValue(new Error('as the test wants it'));
    const back = await connectAs(node.url, admin('patient'));
    await back.ask('dm:leave_conversation', { conversationId: 'user_asha_tara' });
    expect(await hasItOpen(back, writer)).toBe(false);
    find.mockRestore();
    await until(() => hasItOpen(back, writer));
    const { id } = await say(writer, 'left', 'tara');
    expect(await hasItOpen(back, writer)).toBe(true);
    expect(back.all('dm:message_received').map((message) => message.id)).not.toContain(id);
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

  it('a little later, when the database could not say at once whether it may', async () => {
    const node = await startApp({}, [], [withTimes({ retryMs: 100 })]);
    const writer = await connectAs(node.url, user('asha'));
    await say(writer, 'hello');
    await closeAndWait(await open(node.url, admin('patient')), node);
    let asked = 0;
    node.app.get(RoomMemory, { strict: false }).register('conversation', {
      roomOf: conversationRoom,
      canReturn: () => {
        asked += 1;
        if (asked < 3) throw new driver.MongoNetworkError('as the test wants it');
        return true;
      },
    });
    const back = await connectAs(node.url, admin('patient'));
    await until(() => hasItOpen(back, writer));
    expect(asked).toBe(3);
  });

  it('all asked for at once, not one after another', async () => {
    const node = await startApp();
    const writer = await connectAs(node.url, user('asha'));
    await say(writer, 'hello');
    await say(writer, 'hello', 'tara');
    const staff = await open(node.url, admin('root'));
    await staff.ask('dm:join_conversation', { conversationId: 'user_asha_tara' });
    await closeAndWait(staff, node);
    const waiting: ((may: boolean) => void)[] = [];
    node.app.get(RoomMemory, { strict: false }).register('conversation', {
      roomOf: conversationRoom,
      canReturn: () =>
        new Promise((resolve) => {
          // Nobody is answered before both were asked.
          if (waiting.push(resolve) === 2) for (const answer of waiting) answer(true);
        }),
    });
    expect(await hasItOpen(await connectAs(node.url, admin('root')), writer)).toBe(true);
  });

  it('not after the time for it', async () => {
    const hasty = await startApp({}, [], [withTimes({ returnMs: 0 })]);
    const writer = await connectAs(hasty.url, user('asha'));
    await say(writer, 'hello');
    await closeAndWait(await open(hasty.url, admin('late')), hasty);
    expect(await hasItOpen(await connectAs(hasty.url, admin('late')), writer)).toBe(false);
  });

  it('when it is greeted, for whoever is back before the server noticed that the old socket had died', async () => {
    const old = await open(url, admin('mobile'));
    silence(old);
    const back = await connectAs(url, admin('mobile'));
    expect(await hasItOpen(back, asha)).toBe(true);
    await back.ask('dm:leave_conversation', { conversationId });
    // Its end is noticed as late as one likes, and comes as a close.
    await closeAndWait(old, testApp);
    expect(await hasItOpen(back, asha)).toBe(false);
    await closeAndWait(back, testApp);
    expect(await hasItOpen(await connectAs(url, admin('mobile')), asha)).toBe(false);
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

  it('every socket of an identity gets what they all had', async () => {
    const mongo = await startMongo(await temporaryFolder());
    const dataDir = await temporaryFolder();
    const first = await startServer(dataDir, { MONGODB_URI: mongo.address });
    const writer = await connectAs(first.address, user('asha'));
    await say(writer, 'hello');
    await say(writer, 'hello', 'tara');
    await open(first.address, admin());
    const other = await connectAs(first.address, admin());
    await other.ask('dm:join_conversation', { conversationId: 'user_asha_tara' });
    await first.stop('SIGKILL');

    const second = await startServer(dataDir, { MONGODB_URI: mongo.address });
    const dashboards = [await connectAs(second.address, admin()), await connectAs(second.address, admin())];
    const asha = await connectAs(second.address, user('asha'));
    for (const recipient of ['ravi', 'tara']) {
      const { id } = await say(asha, 'again', recipient);
      for (const dashboard of dashboards) {
        const got = await dashboard.waitFor('dm:message_received', (message) => message.id === id);
        expect(got.recipientId).toBe(recipient);
      }
    }
    await second.stop();
    await mongo.stop();
  });

  it('on another node, at once, before the loss is known', async () => {
    const dying = await startApp({}, [], [withNodeTimes({ beatIntervalMs: NEVER_MS, silenceMs: NEVER_MS })]);
    const writer = await connectAs(dying.url, user('asha'));
    await say(writer, 'hello');
    const old = await open(dying.url, admin('root'));
    silence(old);
    const living = await startApp(
      { MONGODB_URI: dying.mongoUri },
      [],
      [withNodeTimes({ beatIntervalMs: NEVER_MS, silenceMs: NEVER_MS })],
    );
    const staff = await connectAs(living.url, admin('root'));
    expect(await hasItOpen(staff, await connectAs(living.url, user('asha')))).toBe(true);
  });
});
