import { randomBytes } from 'node:crypto';
import { closeSync, openSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Environment } from './environment.js';

/** A socket's path may not be longer than this on every system, in bytes. */
const MAX_SOCKET_PATH = 100;
const OWNER = Buffer.from('owner');
const MAX_ATTEMPTS = 20;

/** The folder belongs to a process that is alive. */
export class FolderInUseError extends Error {
  override readonly name = 'FOLDER_IN_USE';
  readonly code = 'FOLDER_IN_USE';

  constructor(dir: string) {
    super(`the folder ${dir} is in use by another process`);
  }
}

/**
 * Exclusive use of a folder by one process, for as long as that process lives.
 *
 * The owner listens on a socket in the folder whose name stands in the database. That a process is alive is answered by the
 * operating system, by connecting: a killed process, or a stranger that has its process id now, does not answer. Taking over
 * from a dead owner is a compare-and-set in an LMDB transaction, so that of two processes that find it dead one wins.
 */
export class Ownership {
  private constructor(
    private readonly environment: Environment,
    private readonly socketName: string,
    private readonly listener: Server,
  ) {}

  /** Throws FolderInUseError. */
  static async claim(environment: Environment): Promise<Ownership> {
    const socketName = `owner-${randomBytes(6).toString('hex')}.sock`;
    const listener = await listen(environment.dir, socketName);
    try {
      await takeOver(environment, socketName);
      return new Ownership(environment, socketName, listener);
    } catch (error) {
      await closeListener(listener, environment.dir, socketName);
      throw error;
    }
  }

  async release(): Promise<void> {
    this.environment.transact(() => {
      if (ownerOf(this.environment) === this.socketName) this.environment.meta.removeSync(OWNER);
    });
    await closeListener(this.listener, this.environment.dir, this.socketName);
  }
}

async function takeOver(environment: Environment, socketName: string): Promise<void> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const owner = ownerOf(environment);
    if (owner !== undefined && (await answers(environment.dir, owner))) break;
    const taken = environment.transact(() => {
      if (ownerOf(environment) !== owner) return false;
      environment.meta.putSync(OWNER, Buffer.from(socketName));
      return true;
    });
    if (!taken) continue;
    if (owner !== undefined) removeSocketFile(environment.dir, owner);
    return;
  }
  throw new FolderInUseError(environment.dir);
}

function ownerOf(environment: Environment): string | undefined {
  return environment.meta.getBinary(OWNER)?.toString();
}

async function listen(dir: string, socketName: string): Promise<Server> {
  const listener = createServer((socket) => socket.destroy());
  await withSocketPath(
    dir,
    socketName,
    (path) =>
      new Promise<void>((resolve, reject) => {
        listener.once('error', reject);
        listener.listen(path, resolve);
      }),
  );
  listener.unref();
  return listener;
}

async function answers(dir: string, socketName: string): Promise<boolean> {
  return withSocketPath(
    dir,
    socketName,
    (path) =>
      new Promise<boolean>((resolve) => {
        const socket = connect(path);
        const settle = (alive: boolean) => {
          socket.destroy();
          resolve(alive);
        };
        socket.once('connect', () => settle(true));
        socket.once('error', (error: NodeJS.ErrnoException) => {
          settle(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
        });
      }),
  );
}

/** Calls `use` with a path to the socket that is short enough for the system. */
async function withSocketPath<T>(
  dir: string,
  socketName: string,
  use: (path: string) => Promise<T>,
): Promise<T> {
  if (process.platform === 'win32') return use(`\\\\.\\pipe\\embedded-mongo-${socketName}`);
  const path = join(dir, socketName);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return use(path);
  if (process.platform !== 'linux') throw new Error(`the folder's path is too long: ${dir}`);
  const folder = openSync(dir, 'r');
  try {
    return await use(`/proc/self/fd/${folder}/${socketName}`);
  } finally {
    closeSync(folder);
  }
}

async function closeListener(listener: Server, dir: string, socketName: string): Promise<void> {
  await new Promise<void>((resolve) => listener.close(() => resolve()));
  removeSocketFile(dir, socketName);
}

function removeSocketFile(dir: string, socketName: string): void {
  rmSync(join(dir, socketName), { force: true });
}
