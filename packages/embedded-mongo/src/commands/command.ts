import type { Doc } from '../bson/values.js';
import type { CursorRegistry } from '../cursors.js';
import type { Catalog } from '../storage/catalog.js';
import type { Environment } from '../storage/environment.js';
import type { ReplyFields } from '../wire/reply.js';
import type { Deadline } from './deadline.js';

/** What commands work on. */
export interface CommandContext {
  readonly environment: Environment;
  readonly catalog: Catalog;
  readonly cursors: CursorRegistry;
  readonly startedAt: Date;
  readonly port: number;
  connectionCount(): number;
}

export interface CommandRequest {
  /** The command's name as the client wrote it: the body's first key. */
  readonly name: string;
  readonly database: string;
  readonly body: Doc;
  readonly sequences: ReadonlyMap<string, Uint8Array[]>;
  readonly deadline: Deadline;
  readonly connectionId: number;
}

export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Writes run together with others in one transaction and are answered when it is on disk. */
  readonly kind: 'read' | 'write';
  /** The fields it takes besides its name and the generic ones; any other is refused. Absent: it takes any. */
  readonly fields?: readonly string[];
  run(request: CommandRequest, context: CommandContext): ReplyFields;
}
