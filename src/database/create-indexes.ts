import { type Model, mongo } from 'mongoose';

/** Tries to get a connection, of 3 s each: all models make their indexes at once, and a busy machine opens connections slowly. */
const MAX_TRIES = 20;

/** The driver exports no class for it. */
const WAITED_IN_VAIN = 'MongoWaitQueueTimeoutError';

/**
 * Makes the indexes of a model's schema. Without them its collection keeps no promise, so this is called before the server listens. It may
 * take as long as it needs: on a large collection an index is built for minutes, without a word in between.
 */
export async function createIndexes<T>({ schema, collection }: Model<T>): Promise<void> {
  for (const [fields, options] of schema.indexes()) {
    const patience = { socketTimeoutMS: 0, writeConcern: { w: 'majority' } };
    await whenConnected(() =>
      collection.createIndex(
        fields as mongo.IndexSpecification,
        { ...options, ...patience } as mongo.CreateIndexesOptions,
      ),
    );
  }
}

async function whenConnected(create: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await create();
      return;
    } catch (error) {
      if (tries === MAX_TRIES || !(error instanceof mongo.MongoDriverError) || error.name !== WAITED_IN_VAIN)
        throw error;
    }
  }
}
