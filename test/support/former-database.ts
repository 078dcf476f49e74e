import { type Connection, createConnection } from 'mongoose';
import type { MigrationReport } from '../../src/migration/faults.js';
import { Migration } from '../../src/migration/migration.js';
import type { closeAfterAll, closeAfterTest } from './cleanup.js';

/** A database with what the former backend stored, past any server that uses it, and the migration to run over it. */
export class FormerDatabase {
  private constructor(private readonly connection: Connection) {}

  /** @param closeLater how long it is needed: for a test, or for all of the file */
  static async open(
    uri: string,
    closeLater: typeof closeAfterAll | typeof closeAfterTest,
  ): Promise<FormerDatabase> {
    const connection = await createConnection(uri, { dbName: 'samvad', autoIndex: false }).asPromise();
    closeLater(() => connection.close());
    return new FormerDatabase(connection);
  }

  collection(name: string) {
    return this.connection.getClient().db('samvad').collection(name);
  }

  get messages() {
    return this.collection('directmessages');
  }

  get conversations() {
    return this.collection('directconversations');
  }

  migrate(apply = true): Promise<MigrationReport> {
    return new Migration(this.connection, { apply }).run();
  }
}
