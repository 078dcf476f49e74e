import mongoose from 'mongoose';
import { startEmbeddedMongo } from '../../src/index.js';
import { describeEmbedded, rejection, startTestServer, type TestServer } from '../support/server.js';

const { MongoClient } = mongoose.mongo;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterEach(() => set('off'));
afterAll(() => server.close());

function set(mode: unknown, data: object = {}) {
  return server.client.db('admin').command({ configureFailPoint: 'failCommand', mode, data });
}

describeEmbedded('the fail point failCommand', () => {
  it('fails the commands named, as often as told, on all connections', async () => {
    const collection = server.collection();
    await set(
      { times: 2 },
      { failCommands: ['insert', 'findAndModify'], errorCode: 11, errorLabels: ['Mine'] },
    );
    expect(await rejection(collection.insertOne({ a: 1 }))).toMatchObject({
      code: 11,
      errorLabels: ['Mine'],
    });
    expect(await collection.countDocuments()).toBe(0);
    const other = await new MongoClient(server.uri).connect();
    const elsewhere = other.db(server.db.databaseName).collection(collection.collectionName);
    expect((await rejection(elsewhere.findOneAndUpdate({}, { $set: { a: 1 } })))['code']).toBe(11);
    await elsewhere.insertOne({ a: 1 });
    expect(await collection.countDocuments()).toBe(1);
    await other.close();
  });

  it('ends the connection, without running the command or what came behind it', async () => {
    const client = await new MongoClient(server.uri, { retryReads: false, maxPoolSize: 1 }).connect();
    const collection = client.db(server.db.databaseName).collection(server.collection().collectionName);
    await set({ times: 1 }, { failCommands: ['insert'], closeConnection: true });
    expect((await rejection(collection.insertOne({ a: 1 }))).name).toContain('Network');
    expect(await collection.countDocuments()).toBe(0);
    await client.close();
  });

  it('holds a command up before it runs or fails', async () => {
    const collection = server.collection();
    await set({ times: 2 }, { failCommands: ['insert'], blockConnection: true, blockTimeMS: 50 });
    const startedAt = performance.now();
    await collection.insertOne({ a: 1 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(49);
    await set(
      { times: 1 },
      { failCommands: ['insert'], blockConnection: true, blockTimeMS: 5, errorCode: 7 },
    );
    expect((await rejection(collection.insertOne({ a: 1 })))['code']).toBe(7);
  });

  it('stays until it is turned off, and can always be turned off', async () => {
    const collection = server.collection();
    await set('alwaysOn', { failCommands: ['find', 'configureFailPoint', 'ping'], errorCode: 91 });
    for (let n = 0; n < 5; n++) expect((await rejection(server.db.command({ ping: 1 })))['code']).toBe(91);
    const { count } = await set('off');
    expect(count).toBeGreaterThanOrEqual(5);
    expect(await collection.find().toArray()).toEqual([]);
  });

  it('does not outlive its server, nor hold up its end', async () => {
    const mongo = await startEmbeddedMongo({ durable: false });
    const client = await new MongoClient(mongo.uri, { retryReads: false }).connect();
    const data = { failCommands: ['find'], blockConnection: true, blockTimeMS: 3_600_000 };
    await client.db('admin').command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data });
    const held = rejection(client.db('t').collection('c').find().toArray());
    await client.db('t').command({ ping: 1 });
    await mongo.close();
    expect((await held).name).toMatch(/^Mongo/);
    await client.close();
  });

  it('is refused when it is not understood', async () => {
    const data = { failCommands: ['ping'], errorCode: 1 };
    const code = async (mode: unknown, options: object) => (await rejection(set(mode, options)))['code'];
    expect(await code({ skip: 1 }, data)).toBe(2);
    expect(await code({ times: -1 }, data)).toBe(2);
    expect(await code('alwaysOn', { errorCode: 1 })).toBe(2);
    expect(await code('alwaysOn', { ...data, appName: 'x' })).toBe(238);
    expect(await code('alwaysOn', { ...data, blockConnection: true })).toBe(2);
    await server.db.command({ ping: 1 });
    const elsewhere = server.db.command({ configureFailPoint: 'failCommand', mode: 'off' });
    expect((await rejection(elsewhere))['code']).toBe(13);
  });
});
