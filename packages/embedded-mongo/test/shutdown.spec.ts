import mongoose from 'mongoose';
import { startEmbeddedMongo } from '../src/index.js';

const { MongoClient } = mongoose.mongo;

describe('a server that is closed while writes arrive', () => {
  it('answers or drops each of them, and nothing happens afterwards', async () => {
    for (let round = 0; round < 10; round++) {
      const mongo = await startEmbeddedMongo({ durable: false });
      const client = await new MongoClient(mongo.uri, { serverSelectionTimeoutMS: 1000 }).connect();
      const collection = client.db('t').collection('c');
      const writes = Array.from({ length: 40 }, (_, n) => collection.insertOne({ n }));
      const settled = Promise.allSettled(writes);
      if (round % 2 === 1) await Promise.race(writes);
      await mongo.close();
      await client.close();
      expect(await settled).toHaveLength(40);
    }
  });
});
