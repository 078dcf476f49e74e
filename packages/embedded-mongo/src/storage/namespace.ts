import { ErrorCode, MongoError } from '../errors.js';

const MAX_DATABASE_NAME = 63;
const MAX_NAMESPACE = 255;

/** Throws InvalidNamespace (73) for a name that MongoDB does not take for a database. Lengths count bytes. */
export function assertDatabaseName(database: string): void {
  if (database === '' || Buffer.byteLength(database) > MAX_DATABASE_NAME || /[/\\. "$\0]/.test(database)) {
    throw new MongoError(ErrorCode.InvalidNamespace, `Invalid database name: '${database}'`);
  }
}

/** Throws InvalidNamespace (73) for a name that MongoDB does not take for a collection. */
export function assertCollectionName(database: string, name: string): void {
  assertDatabaseName(database);
  const namespace = `${database}.${name}`;
  const bad = name === '' || name.startsWith('.') || name.endsWith('.') || /[$\0]/.test(name);
  if (bad || Buffer.byteLength(namespace) > MAX_NAMESPACE) {
    throw new MongoError(ErrorCode.InvalidNamespace, `Invalid namespace specified '${namespace}'`);
  }
  if (name.startsWith('system.')) {
    throw new MongoError(ErrorCode.InvalidNamespace, `Invalid system namespace: ${namespace}`);
  }
}
