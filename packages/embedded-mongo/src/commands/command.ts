import type { Doc } from '../bson/values.js';
import type { CursorRegistry } from '../cursors.js';
import type { Catalog } from '../storage/catalog.js';
import type { Environment } from '../storage/environment.js';
import type { Steps } from '../storage/group-commit.js';
import type { ReplyFields } from '../wire/reply.js';
import type { FailPoint } from './fail-point.js';
import type { Deadline } from './deadline.js';

/** What commands work on. */
export interface CommandContext {
  readonly environment: Environment;
  readonly catalog: Catalog;
  readonly cursors: CursorRegistry;
  readonly startedAt: Date;
  readonly port: number;
  readonly failPoint: FailPoint;
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

interface CommandShape {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** The fields it takes besides its name and the generic ones; any other is refused. Absent: it takes any. */
  readonly fields?: readonly string[];
}

/** Answered at once from what is committed. */
export interface ReadCommand extends CommandShape {
  readonly kind: 'read';
  run(request: CommandRequest, context: CommandContext): ReplyFields;
}

/**
 * Runs together with other writes in one transaction and is answered when that is on disk. A write over many documents goes in
 * steps, so that neither a transaction nor a turn of the event loop grows with them.
 */
export interface WriteCommand extends CommandShape {
  readonly kind: 'write';
  run(request: CommandRequest, context: CommandContext): ReplyFields | Steps<ReplyFields>;
}

export type Command = ReadCommand | WriteCommand;
