import type { MongooseModuleFactoryOptions } from '@nestjs/mongoose';

/** Without a database name in the URI, Mongoose would use `test`. */
const DEFAULT_DATABASE = 'samvad';
/** Several hosts may stand in the URI, which URL cannot parse. */
const NAMES_A_DATABASE = /^mongodb(\+srv)?:\/\/[^/]+\/[^/?]+/;

/** Times in milliseconds. Together they make a database that went away known within 5 s, and found again when it is back. */
export function connectionOptions(uri: string): MongooseModuleFactoryOptions {
  return {
    uri,
    ...(!NAMES_A_DATABASE.test(uri) && { dbName: DEFAULT_DATABASE }),
    autoIndex: false, // Repositories create their indexes before the server listens: an invariant without its index is none.
    bufferCommands: false,
    // Whatever the URI says: an acknowledged message survives a crash and a failover, and a node reads what it wrote.
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: 3500 },
    readPreference: 'primary',
    serverSelectionTimeoutMS: 3000,
    connectTimeoutMS: 3000,
    waitQueueTimeoutMS: 3000,
    // A connection that says nothing for longer while something is asked of it is broken, though nobody closed it.
    socketTimeoutMS: 4000,
    heartbeatFrequencyMS: 2000,
    // At start only: up to about 50 s, because the database's container may start later than ours.
    retryAttempts: 9,
    retryDelay: 2000,
  };
}
