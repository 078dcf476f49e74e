import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { mongo } from 'mongoose';
import { closeAfterAll } from './cleanup.js';

const HEADER_BYTES = 16;
const OP_MSG = 2013;

/** A command as it went over the wire. */
export interface SeenCommand {
  /** `insert`, `find`, `update`, … */
  name: string;
  collection: string;
  body: Record<string, unknown>;
  /** The bytes of the whole message, for a look at what it carries. */
  bytes: Buffer;
}

type Fits = (command: SeenCommand) => boolean;

/**
 * What befalls a command and its connection: `wedge`, nobody hears of either again, and nobody closes; `cut`, the connection ends before the
 * database gets it; `lose-reply`, the connection ends after the database has carried it out.
 */
type Trouble = 'wedge' | 'cut' | 'lose-reply';

interface Planned {
  fits: Fits;
  trouble: Trouble | 'hold';
  strike: (resume: () => void) => void;
}

/** By name and collection, and by a text that the command carries. */
export const command =
  (name: string, collection: string, text = ''): Fits =>
  (seen) =>
    seen.name === name && seen.collection === collection && seen.bytes.includes(text);

/** Stands between an application and its database: counts commands, and breaks connections at the command that a test names. */
export class DatabaseProxy {
  /** Those on collections, oldest first. */
  readonly commands: SeenCommand[] = [];
  private readonly planned: Planned[] = [];

  private constructor(readonly uri: string) {}

  static async start(mongoUri: string): Promise<DatabaseProxy> {
    const target = Number(new URL(mongoUri).port);
    let proxy: DatabaseProxy | undefined;
    const sockets = new Set<Socket>();
    const server = createServer((client) => {
      const database = connect(target, '127.0.0.1');
      for (const socket of [client, database]) {
        sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => sockets.delete(socket));
      }
      proxy?.join(client, database);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closeAfterAll(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    proxy = new DatabaseProxy(`mongodb://127.0.0.1:${port}/samvad`);
    return proxy;
  }

  /** The next command that fits meets the trouble; resolves when it has. */
  plan(trouble: Trouble, fits: Fits): Promise<void> {
    return new Promise((resolve) => this.planned.push({ fits, trouble, strike: () => resolve() }));
  }

  /** The next command that fits is kept until the function is called that this resolves to. */
  hold(fits: Fits): Promise<() => void> {
    return new Promise((resolve) => this.planned.push({ fits, trouble: 'hold', strike: resolve }));
  }

  private join(client: Socket, database: Socket): void {
    let trouble: Trouble | undefined;
    let waiting = Buffer.alloc(0);
    const end = (): void => {
      client.destroy();
      database.destroy();
    };
    client.on('data', (data: Buffer) => {
      waiting = Buffer.concat([waiting, data]);
      for (let size = sizeOf(waiting); waiting.length >= size; size = sizeOf(waiting)) {
        const message = waiting.subarray(0, size);
        waiting = waiting.subarray(size);
        if (trouble === 'wedge') continue;
        const met = this.see(message);
        if (met?.trouble === 'hold') {
          met.strike(() => database.write(message));
          continue;
        }
        trouble = met?.trouble ?? trouble;
        if (trouble === 'cut') end();
        else if (trouble !== 'wedge') database.write(message);
        met?.strike(() => undefined);
      }
    });
    database.on('data', (data: Buffer) => {
      if (trouble === 'lose-reply') end();
      else if (trouble !== 'wedge') client.write(data);
    });
    client.on('close', () => database.destroy());
    database.on('close', () => client.destroy());
  }

  private see(message: Buffer): Planned | undefined {
    const seen = commandIn(message);
    if (seen === undefined) return undefined;
    this.commands.push(seen);
    const index = this.planned.findIndex(({ fits }) => fits(seen));
    return index < 0 ? undefined : this.planned.splice(index, 1)[0];
  }
}

/** Of the first message in the bytes; endless while its header is not there. */
function sizeOf(bytes: Buffer): number {
  return bytes.length < HEADER_BYTES ? Infinity : bytes.readInt32LE(0);
}

/** Undefined for what is about no collection, such as the driver's greetings. */
function commandIn(message: Buffer): SeenCommand | undefined {
  // The body comes first with this driver: flags of 4 bytes, the section's kind 0, the document.
  if (message.readInt32LE(12) !== OP_MSG || message[HEADER_BYTES + 4] !== 0) return undefined;
  const start = HEADER_BYTES + 5;
  const body = mongo.BSON.deserialize(message.subarray(start, start + message.readInt32LE(start))) as Record<
    string,
    unknown
  >;
  const [name = '', collection] = Object.entries(body)[0] ?? [];
  return typeof collection === 'string' ? { name, collection, body, bytes: message } : undefined;
}
