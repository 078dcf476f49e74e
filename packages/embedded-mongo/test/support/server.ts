import mongoose from 'mongoose';
import { randomBytes } from 'node:crypto';
import { startEmbeddedMongo, type EmbeddedMongo, type EmbeddedMongoOptions } from '../../src/index.js';

const { MongoClient } = mongoose.mongo;
export type Client = InstanceType<typeof MongoClient>;
export type Db = ReturnType<Client['db']>;
export type Collection = ReturnType<Db['collection']>;

/** A real MongoDB (standalone) to run the driver-level suite against, to see that both answer alike. */
export const realUri = process.env['MONGODB_TEST_URI'];

/** For what only the embedded server has: its options, its files. */
export const describeEmbedded = realUri ? describe.skip : describe;

export interface TestServer {
  readonly client: Client;
  readonly db: Db;
  readonly uri: string;
  /** A collection with a name of its own. */
  collection(): Collection;
  close(): Promise<void>;
}

/** The embedded server, or the real one in a database of its own, and a client. */
export async function startTestServer(options: EmbeddedMongoOptions = {}): Promise<TestServer> {
  const embedded: EmbeddedMongo | undefined = realUri
    ? undefined
    : await startEmbeddedMongo({ durable: false, ...options });
  const uri = embedded?.uri ?? realUri ?? '';
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 10_000 });
  await client.connect();
  const db = client.db(`test_${randomBytes(6).toString('hex')}`);
  let collections = 0;
  return {
    client,
    db,
    uri,
    collection: () => db.collection(`c${++collections}`),
    close: async () => {
      if (realUri) await db.dropDatabase();
      await client.close();
      await embedded?.close();
    },
  };
}

/** What a promise was rejected with; fails when it was not. */
export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('expected a rejection');
}
