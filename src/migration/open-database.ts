import { type Connection, createConnection } from 'mongoose';
import type { AppConfig } from '../config/config.js';
import { connectionOptions } from '../database/connection-options.js';
import { EmbeddedDatabase } from '../database/embedded-database.js';

/** Building the temporary index and sorting by it may take minutes. */
const PATIENT = { socketTimeoutMS: 0, writeConcern: { w: 'majority', journal: true } } as const;

export interface OpenDatabase {
  connection: Connection;
  close: () => Promise<void>;
}

/**
 * Connects to the database of the configuration, as the server does.
 * @throws when it cannot be reached, or when another process has the embedded database's folder
 */
export async function openDatabase(config: AppConfig): Promise<OpenDatabase> {
  const embedded = new EmbeddedDatabase(config);
  // The last two are Nest's own.
  const {
    uri,
    retryAttempts: _attempts,
    retryDelay: _delay,
    ...options
  } = connectionOptions(await startEmbedded(embedded));
  try {
    const connection = await createConnection(uri ?? '', { ...options, ...PATIENT }).asPromise();
    const close = async (): Promise<void> => {
      await connection.close();
      await embedded.close();
    };
    return { connection, close };
  } catch (error) {
    await embedded.close();
    throw error;
  }
}

async function startEmbedded(embedded: EmbeddedDatabase): Promise<string> {
  try {
    return await embedded.start();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'FOLDER_IN_USE') throw error;
    throw new Error(
      `DATA_DIR: ${message}. Stop the server that uses it. If \`npm run mongo\` serves it, give its address: MONGODB_URI=mongodb://…`,
      { cause: error },
    );
  }
}
