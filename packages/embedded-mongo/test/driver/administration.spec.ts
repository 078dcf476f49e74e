import mongoose from 'mongoose';
import { describeEmbedded, rejection, startTestServer, type TestServer } from '../support/server.js';

const { UUID } = mongoose.mongo;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const admin = (command: Record<string, unknown>) => server.client.db('admin').command(command);

describe('commands of tools and test runners', () => {
  it('tell parameters, or that there is none of that name', async () => {
    expect(await admin({ getParameter: 1, featureCompatibilityVersion: 1 })).toMatchObject({
      featureCompatibilityVersion: { version: '7.0' },
    });
    expect(await admin({ getParameter: '*' })).toHaveProperty('authenticationMechanisms');
    expect(await rejection(admin({ getParameter: 1, fancy: 1 }))).toMatchObject({
      code: 72,
      errmsg: 'no option found to get',
    });
    expect((await rejection(server.db.command({ getParameter: '*' })))['code']).toBe(13);
  });

  it('tell of the program, its log and its commands', async () => {
    expect(await admin({ getCmdLineOpts: 1 })).toMatchObject({ argv: expect.any(Array), parsed: {} });
    expect(await admin({ getLog: '*' })).toMatchObject({
      names: expect.arrayContaining(['global', 'startupWarnings']),
    });
    expect(await admin({ getLog: 'startupWarnings' })).toMatchObject({ log: expect.any(Array) });
    expect((await rejection(admin({ getLog: 'fancy' })))['ok']).toBe(0);
    const { commands } = await admin({ listCommands: 1 });
    expect(Object.keys(commands as object)).toEqual(
      expect.arrayContaining(['aggregate', 'collMod', 'listCommands', 'update']),
    );
  });

  it('tell how much a database holds', async () => {
    const db = server.client.db(`${server.db.databaseName}_stats`);
    expect(await db.stats()).toMatchObject({ collections: 0, views: 0, objects: 0 });
    await db.collection('a').createIndex({ n: 1 });
    await db.collection('a').insertMany([{ n: 1 }, { n: 2 }]);
    await db.createCollection('b');
    await db.createCollection('view', { viewOn: 'a', pipeline: [] });
    const stats = await db.stats();
    expect(stats).toMatchObject({ objects: 2, indexes: 3 });
    expect(stats['dataSize']).toBe(58);
    expect(stats['avgObjSize']).toBe(29);
    await db.dropDatabase();
  });

  it('start and end sessions', async () => {
    const { id, timeoutMinutes } = await admin({ startSession: 1 });
    expect((id as { id: unknown }).id).toBeInstanceOf(UUID);
    expect(timeoutMinutes).toBe(30);
    await admin({ killSessions: [id] });
    await admin({ refreshSessions: [id] });
    await admin({ endSessions: [id] });
    expect((await rejection(admin({ killAllSessions: 1 })))['code']).toBe(14);
  });

  it('refuse a hint for distinct', async () => {
    const name = server.collection().collectionName;
    const error = await rejection(server.db.command({ distinct: name, key: 'a', hint: '_id_' }));
    expect(error['code']).toBe(40415);
  });
});

describeEmbedded('killAllSessions', () => {
  it('ends all cursors', async () => {
    const collection = server.collection();
    await collection.insertMany(Array.from({ length: 10 }, (_, n) => ({ n })));
    const cursor = collection.find({}, { batchSize: 2 });
    await cursor.next();
    await admin({ killAllSessions: [{ user: 'nobody', db: 'none' }] });
    await cursor.next();
    await admin({ killAllSessions: [] });
    expect((await rejection(cursor.toArray()))['code']).toBe(43);
  });
});
