import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { CommandContext } from './commands/command.js';
import { dispatch } from './commands/dispatch.js';
import { FailPoint } from './commands/fail-point.js';
import { Connection } from './connection.js';
import { CursorRegistry, DEFAULT_CURSOR_TIMEOUT_MS } from './cursors.js';
import { Maintenance } from './maintenance.js';
import { Catalog } from './storage/catalog.js';
import type { Environment } from './storage/environment.js';
import { GroupCommit } from './storage/group-commit.js';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly cursorTimeoutMs?: number | undefined;
  readonly ttlIntervalMs?: number | undefined;
}

/** The listening server over an open environment. */
export class MongoServer {
  private readonly listener: Server;
  private readonly connections = new Map<Socket, Connection>();
  private readonly cursors: CursorRegistry;
  private readonly group: GroupCommit;
  private readonly context: CommandContext;
  private readonly maintenance: Maintenance;
  private lastConnectionId = 0;

  private constructor(environment: Environment, options: ServerOptions) {
    const catalog = new Catalog(environment);
    environment.transact(() => catalog.dropTemporary());
    this.cursors = new CursorRegistry(options.cursorTimeoutMs ?? DEFAULT_CURSOR_TIMEOUT_MS);
    this.group = new GroupCommit(
      environment,
      () => catalog.beforeCommit(),
      () => catalog.reload(),
    );
    this.listener = createServer((socket) => this.accept(socket));
    const portOf = () => this.port;
    this.context = {
      environment,
      catalog,
      cursors: this.cursors,
      failPoint: new FailPoint(),
      startedAt: new Date(),
      get port() {
        return portOf();
      },
      connectionCount: () => this.connections.size,
    };
    this.maintenance = new Maintenance(this.context, this.group, options.ttlIntervalMs);
  }

  /** Resolves when it listens; rejects with the error of `listen`, EADDRINUSE for one. */
  static async start(environment: Environment, options: ServerOptions): Promise<MongoServer> {
    const server = new MongoServer(environment, options);
    await new Promise<void>((resolve, reject) => {
      server.listener.once('error', reject);
      server.listener.listen({ host: options.host, port: options.port }, () => {
        server.listener.off('error', reject);
        resolve();
      });
    });
    server.maintenance.start();
    return server;
  }

  get port(): number {
    const address = this.listener.address() as AddressInfo | null;
    return address?.port ?? 0;
  }

  /** Ends connections after what they have asked for is on disk. The environment stays open. */
  async close(): Promise<void> {
    this.maintenance.stop();
    this.context.failPoint.close();
    const closed = new Promise<void>((resolve) => this.listener.close(() => resolve()));
    this.group.stop();
    // What was just committed is answered in this turn.
    await new Promise((resolve) => setImmediate(resolve));
    this.cursors.clear();
    for (const connection of this.connections.values()) connection.end();
    await closed;
  }

  private accept(socket: Socket): void {
    const connection = new Connection(++this.lastConnectionId, socket, (request, id) =>
      dispatch(request, id, this.context, this.group),
    );
    this.connections.set(socket, connection);
    socket.on('close', () => this.connections.delete(socket));
  }
}
