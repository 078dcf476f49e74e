import { jest } from '@jest/globals';
import { EmitterService } from '../../../src/realtime/emitter.service.js';
import { startApp, type TestApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { withNodeTimes, withPresenceTimes } from '../../support/presence.js';
import { startMongo, startServer, temporaryFolder } from '../../support/processes.js';
import { startRedis } from '../../support/redis.js';
import { admin, astrologer, user } from '../../support/token.js';
import { until } from '../../support/until.js';

const NEVER_MS = 3_600_000;

const startNode = (offlineDelayMs: number, variables = {}): Promise<TestApp> =>
  startApp(variables, [], [withPresenceTimes({ offlineDelayMs })]);

/** What an admin was told of an astrologer so far, in order. */
const story = (staff: TestClient, id: string): boolean[] =>
  staff
    .all('astrologer:status_changed')
    .filter(({ astrologerId }) => astrologerId === id)
    .map(({ isOnline }) => isOnline);

const told = (staff: TestClient, id: string, isOnline: boolean) =>
  staff.waitFor(
    'astrologer:status_changed',
    (change) => change.astrologerId === id && change.isOnline === isOnline,
  );

describe('astrologer:status_changed', () => {
  let url: string;
  beforeAll(async () => {
    ({ url } = await startNode(300));
  });

  it('tells admins that an astrologer comes and goes, with name, picture and time', async () => {
    const [root, key] = [await connectAs(url, admin('root')), await connectAs(url, admin())];
    const ravi = await connectAs(url, {
      id: 'ravi',
      type: 'astrologer',
      name: 'Ravi',
      avatar: 'https://example.com/r.png',
    });
    const expected = {
      astrologerId: 'ravi',
      isOnline: true,
      lastSeen: expect.stringMatching(/^\d{4}-.*Z$/),
      name: 'Ravi',
      profilePicture: 'https://example.com/r.png',
    };
    for (const staff of [root, key]) expect(await told(staff, 'ravi', true)).toEqual(expected);
    const before = Date.now();
    ravi.close();
    for (const staff of [root, key]) {
      const change = await told(staff, 'ravi', false);
      expect(change).toEqual({ ...expected, isOnline: false });
      expect(Date.parse(change.lastSeen ?? '')).toBeGreaterThanOrEqual(before - 1);
    }
  });

  it('says nothing of a second device, of users, and to anybody but admins', async () => {
    const [root, asha] = [await connectAs(url, admin('root')), await connectAs(url, user('asha'))];
    const [phone, tablet] = [
      await connectAs(url, astrologer('tara')),
      await connectAs(url, astrologer('tara')),
    ];
    await told(root, 'tara', true);
    phone.close();
    const other = await connectAs(url, user('other'));
    other.close();
    tablet.close();
    await told(root, 'tara', false);
    expect(story(root, 'tara')).toEqual([true, false]);
    expect(story(root, 'asha')).toEqual([]);
    await asha.ask('get_stats');
    expect(asha.all('astrologer:status_changed')).toEqual([]);
  });

  it('who is back in time never left', async () => {
    const patient = await startNode(3000);
    const root = await connectAs(patient.url, admin('root'));
    for (let i = 0; i < 3; i += 1) (await connectAs(patient.url, astrologer('ravi'))).close();
    const last = await connectAs(patient.url, astrologer('ravi'));
    last.close();
    await told(root, 'ravi', false);
    expect(story(root, 'ravi')).toEqual([true, false]);
  });
});

describe('several nodes on one database', () => {
  it('who goes from one node to another never left, and every change is told by one node alone', async () => {
    const one = await startNode(1500);
    const two = await startNode(1500, { MONGODB_URI: one.mongoUri });
    const staff = [await connectAs(one.url, admin('root')), await connectAs(two.url, admin('root'))] as const;
    const first = await connectAs(one.url, astrologer('ravi'));
    await told(staff[0], 'ravi', true);
    const second = await connectAs(two.url, astrologer('ravi'));
    first.close();
    // Long after the first node's delay: a later astrologer has come and gone there.
    const barrier = await connectAs(one.url, astrologer('barrier'));
    await told(staff[0], 'barrier', true);
    barrier.close();
    await told(staff[0], 'barrier', false);
    second.close();
    await told(staff[1], 'ravi', false);
    // Without Redis, a node's events reach its own sockets.
    expect([story(staff[0], 'ravi'), story(staff[1], 'ravi')]).toEqual([[true], [false]]);
  });

  it('who is back is announced again: the offline of another node may come behind the first time', async () => {
    const redis = await startRedis();
    const one = await startNode(300, { REDIS_URL: redis.url });
    const two = await startNode(300, { REDIS_URL: redis.url, MONGODB_URI: one.mongoUri });
    const staff = await connectAs(two.url, admin('root'));
    // What the first node has to say of an offline takes its time, as if Redis were slow.
    const emitter = one.app.get(EmitterService, { strict: false });
    const send = emitter.toRooms.bind(emitter);
    const held: (() => void)[] = [];
    jest.spyOn(emitter, 'toRooms').mockImplementation((rooms, event, payload, except) => {
      const isOffline = event === 'astrologer:status_changed' && 'isOnline' in payload && !payload.isOnline;
      if (isOffline) held.push(() => send(rooms, event, payload, except));
      else send(rooms, event, payload, except);
    });
    const first = await connectAs(one.url, astrologer('ravi'));
    await told(staff, 'ravi', true);
    first.close();
    await until(() => held.length === 1);
    await connectAs(two.url, astrologer('ravi'));
    await until(() => story(staff, 'ravi').length === 2);
    held[0]?.();
    await until(() => story(staff, 'ravi').length === 4);
    expect(story(staff, 'ravi')).toEqual([true, true, false, true]);
  });

  it('a node that dies with people, or within the delay after they went, leaves nobody online', async () => {
    const dying = await startApp(
      {},
      [],
      [withPresenceTimes({ offlineDelayMs: NEVER_MS }), withNodeTimes({ beatIntervalMs: NEVER_MS })],
    );
    const root = await connectAs(dying.url, admin('root'));
    await connectAs(dying.url, { id: 'stays', type: 'astrologer', name: 'Stays', avatar: '' });
    const leaver = await connectAs(dying.url, astrologer('leaves'));
    await Promise.all([told(root, 'stays', true), told(root, 'leaves', true)]);
    leaver.close();

    const living = await startApp(
      { MONGODB_URI: dying.mongoUri },
      [],
      [withPresenceTimes({ offlineDelayMs: 300 }), withNodeTimes({ beatIntervalMs: 100, silenceMs: 2000 })],
    );
    const watcher = await connectAs(living.url, admin('root'));
    expect(await told(watcher, 'stays', false)).toMatchObject({ name: 'Stays' });
    await told(watcher, 'leaves', false);
    expect([story(watcher, 'stays'), story(watcher, 'leaves')]).toEqual([[false], [false]]);
  });
});

describe('the server is killed with SIGKILL and started again', () => {
  it('announces who did not come back, says nothing of who did, and knows when they were last there', async () => {
    const mongo = await startMongo(await temporaryFolder());
    const dataDir = await temporaryFolder();
    const first = await startServer(dataDir, { MONGODB_URI: mongo.address });
    const before = await connectAs(first.address, admin('root'));
    await connectAs(first.address, astrologer('stays'));
    await connectAs(first.address, astrologer('goes'));
    await Promise.all([told(before, 'stays', true), told(before, 'goes', true)]);
    const killedAt = Date.now();
    await first.stop('SIGKILL');

    const second = await startServer(dataDir, { MONGODB_URI: mongo.address });
    const after = await connectAs(second.address, admin('root'));
    await connectAs(second.address, astrologer('stays'));
    const { lastSeen } = await told(after, 'goes', false);
    expect(Date.parse(lastSeen ?? '')).toBeLessThanOrEqual(killedAt);
    expect(story(after, 'stays')).toEqual([]);
    await second.stop();
    await mongo.stop();
  });
});
