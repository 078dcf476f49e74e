import { collectionName, countArgument } from './arguments.js';
import type { Command } from './command.js';

export const collStats: Command = {
  name: 'collStats',
  aliases: ['collstats'],
  kind: 'read',
  fields: ['scale', 'verbose'],
  run(request, { catalog }) {
    const name = collectionName(request);
    const scale = countArgument(request.body, 'collStats', 'scale') || 1;
    const ns = `${request.database}.${name}`;
    const collection = catalog.collection(request.database, name);
    const { count = 0, size = 0, indexes = [] } = collection ?? {};
    const sizes = indexes.map(
      (index) => [index.definition.name, Math.floor(index.estimateSize() / scale)] as const,
    );
    return {
      ns,
      size: Math.floor(size / scale),
      count,
      ...(count > 0 ? { avgObjSize: Math.floor(size / count) } : {}),
      storageSize: Math.floor(size / scale),
      capped: false,
      nindexes: indexes.length,
      indexSizes: Object.fromEntries(sizes),
      totalIndexSize: sizes.reduce((sum, [, bytes]) => sum + bytes, 0),
      scaleFactor: scale,
      ok: 1,
    };
  },
};

export const dbStats: Command = {
  name: 'dbStats',
  aliases: ['dbstats'],
  kind: 'read',
  fields: ['scale', 'freeStorage'],
  run({ database, body }, { catalog }) {
    const scale = countArgument(body, 'dbStats', 'scale') || 1;
    const collections = catalog.collections(database).filter(({ isView }) => !isView);
    const views = catalog.collections(database).length - collections.length;
    const indexes = collections.flatMap((collection) => collection.indexes);
    const objects = collections.reduce((sum, { count }) => sum + count, 0);
    const bytes = collections.reduce((sum, { size }) => sum + size, 0);
    const dataSize = Math.floor(bytes / scale);
    const indexSize = Math.floor(indexes.reduce((sum, index) => sum + index.estimateSize(), 0) / scale);
    return {
      db: database,
      collections: collections.length,
      views,
      objects,
      avgObjSize: objects > 0 ? bytes / objects : 0,
      dataSize,
      storageSize: dataSize,
      indexes: indexes.length,
      indexSize,
      totalSize: dataSize + indexSize,
      scaleFactor: scale,
      ok: 1,
    };
  },
};
