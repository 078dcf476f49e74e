import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MongoServer } from './server.js';
import { assertDataFile, FolderUnusableError } from './storage/data-file.js';
import { Environment } from './storage/environment.js';
import { FolderInUseError, Ownership } from './storage/ownership.js';

export { FolderInUseError, FolderUnusableError };

const HOST = '127.0.0.1';

export interface EmbeddedMongoOptions {
  /** 127.0.0.1 only, which is the default: the server knows no users and no passwords. */
  host?: string;
  /** 0, the default, takes a free one. */
  port?: number;
  /** The folder of the database, made when absent. Without it a temporary one is used and removed at close. */
  dir?: string;
  /** Default true: an acknowledged write is on disk. False is for tests: the last writes may be lost at a power cut. */
  durable?: boolean;
  /** A cursor that is not used for so long is forgotten; default 600,000 ms. */
  cursorTimeoutMs?: number;
  /** How often documents whose time to live is over are removed; default 60,000 ms. */
  ttlIntervalMs?: number;
}

export interface EmbeddedMongo {
  /** For the official driver and Mongoose. */
  readonly uri: string;
  readonly port: number;
  readonly dir: string;
  /** Ends connections, flushes, and removes a temporary folder. May be called more than once. */
  close(): Promise<void>;
}

/**
 * Starts a server in this process. Throws FolderInUseError (code FOLDER_IN_USE) when another live process has the folder,
 * FolderUnusableError (code FOLDER_UNUSABLE) when what is in it is no whole database, the
 * error of `listen` (code EADDRINUSE) when the port is taken, RangeError for a host that is not the loopback address.
 */
export async function startEmbeddedMongo(options: EmbeddedMongoOptions = {}): Promise<EmbeddedMongo> {
  const { host = HOST, port = 0, durable = true } = options;
  if (host !== HOST) throw new RangeError(`host must be ${HOST}, not ${host}`);
  const temporary = options.dir === undefined;
  const dir = temporary ? mkdtempSync(join(tmpdir(), 'embedded-mongo-')) : resolve(options.dir ?? '');
  mkdirSync(dir, { recursive: true });
  const closers: (() => unknown)[] = [];
  if (temporary) closers.push(() => rmSync(dir, { recursive: true, force: true }));
  try {
    assertDataFile(dir);
    const environment = new Environment(dir, durable);
    closers.push(() => environment.close());
    const ownership = await Ownership.claim(environment);
    closers.push(() => ownership.release());
    const server = await MongoServer.start(environment, { ...options, host, port });
    closers.push(() => server.close());
    let closing: Promise<void> | undefined;
    const close = () => (closing ??= closeAll(closers));
    return { uri: `mongodb://${HOST}:${server.port}/?directConnection=true`, port: server.port, dir, close };
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

async function closeAll(closers: (() => unknown)[]): Promise<void> {
  for (const close of closers.toReversed()) await close();
}
