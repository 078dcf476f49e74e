import type { Model, mongo } from 'mongoose';

/**
 * Makes the indexes of a model's schema. Without them its collection keeps no promise, so this is called before the server listens. It may
 * take as long as it needs: on a large collection an index is built for minutes, without a word in between.
 */
export async function createIndexes<T>({ schema, collection }: Model<T>): Promise<void> {
  for (const [fields, options] of schema.indexes()) {
    const patience = { socketTimeoutMS: 0, writeConcern: { w: 'majority' } };
    await collection.createIndex(
      fields as mongo.IndexSpecification,
      { ...options, ...patience } as mongo.CreateIndexesOptions,
    );
  }
}
