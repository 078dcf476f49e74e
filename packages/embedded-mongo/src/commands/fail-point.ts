import { setTimeout } from 'node:timers/promises';
import { isDoc, isInt32, type Doc, type Value } from '../bson/values.js';
import { badValue, ErrorCode, MongoError } from '../errors.js';
import { booleanArgument, countArgument } from './arguments.js';
import type { Command } from './command.js';
import { notSupported } from './find.js';

/** Ends the connection without a reply. */
export class CloseConnection extends Error {}

const KNOWN_DATA = new Set([
  'failCommands',
  'errorCode',
  'errorLabels',
  'closeConnection',
  'blockConnection',
  'blockTimeMS',
]);

interface FailCommand {
  readonly commands: ReadonlySet<string>;
  /** What the command ends with; undefined when it is only held up. */
  readonly error: Error | undefined;
  /** How long the command is held up before, in milliseconds. */
  readonly blockMs: number;
  /** How often it still fails. */
  times: number;
}

/**
 * MongoDB's fail point `failCommand`, which tests of drivers and applications set: the commands named fail, end the connection
 * or are held up. It holds for all connections, until it is turned off or the server ends.
 */
export class FailPoint {
  private active: FailCommand | undefined;
  private readonly closing = new AbortController();
  private entered = 0;

  /** Replaces what was set before; returns how many commands have failed or waited since the server started. */
  configure(mode: Value | undefined, data: Doc): number {
    const times = timesOf(mode);
    this.active = times > 0 ? readFailCommand(data, times) : undefined;
    return this.entered;
  }

  /** Throws what the command is to end with; a promise when the command has to wait first. */
  enter({ name, aliases = [] }: Command): Promise<void> | undefined {
    const { active } = this;
    if (!active || name === configureFailPoint.name) return undefined;
    if (![name, ...aliases].some((each) => active.commands.has(each))) return undefined;
    this.entered++;
    if (--active.times === 0) this.active = undefined;
    if (active.blockMs > 0) return this.block(active);
    if (active.error) throw active.error;
    return undefined;
  }

  /** Ends the waits: the commands that wait fail with InterruptedAtShutdown (11600). */
  close(): void {
    this.closing.abort();
  }

  private async block({ blockMs, error }: FailCommand): Promise<void> {
    try {
      await setTimeout(blockMs, undefined, { signal: this.closing.signal });
    } catch {
      throw new MongoError(ErrorCode.InterruptedAtShutdown, 'the server is shutting down');
    }
    if (error) throw error;
  }
}

function timesOf(mode: Value | undefined): number {
  if (mode === 'off') return 0;
  if (mode === 'alwaysOn') return Infinity;
  const times = isDoc(mode) && mode.size === 1 ? mode.get('times') : undefined;
  if (times === undefined) throw badValue("a fail point's mode is 'off', 'alwaysOn' or { times: <number> }");
  if (!isInt32(times) || times.value < 0)
    throw badValue("'times' option to 'mode' must be a number that is not negative");
  return times.value;
}

function readFailCommand(data: Doc, times: number): FailCommand {
  for (const name of data.keys())
    if (!KNOWN_DATA.has(name)) throw notSupported(`the option '${name}' of failCommand`);
  const commands = data.get('failCommands');
  if (!Array.isArray(commands) || !commands.every((name) => typeof name === 'string'))
    throw badValue("'failCommands' must be an array of strings");
  const blocks = booleanArgument(data, 'failCommand', 'blockConnection');
  const blockMs = countArgument(data, 'failCommand', 'blockTimeMS');
  if (blocks && blockMs === undefined) throw badValue("'blockConnection' needs 'blockTimeMS'");
  const closes = booleanArgument(data, 'failCommand', 'closeConnection');
  const error = closes ? new CloseConnection() : readError(data);
  return { commands: new Set(commands), error, blockMs: blocks ? (blockMs ?? 0) : 0, times };
}

function readError(data: Doc): MongoError | undefined {
  const code = data.get('errorCode');
  const labels = data.get('errorLabels');
  if (code === undefined) return undefined;
  if (!isInt32(code)) throw badValue("'errorCode' must be a number");
  return new MongoError(
    code.value,
    "Failing command via 'failCommand' failpoint",
    Array.isArray(labels) ? { errorLabels: labels } : {},
  );
}

export const configureFailPoint: Command = {
  name: 'configureFailPoint',
  kind: 'read',
  fields: ['mode', 'data'],
  run({ body, database }, { failPoint }) {
    if (database !== 'admin') {
      throw new MongoError(
        ErrorCode.Unauthorized,
        'configureFailPoint may only be run against the admin database.',
      );
    }
    if (body.get('configureFailPoint') !== 'failCommand')
      throw notSupported('any other fail point than failCommand');
    const data = body.get('data');
    const count = failPoint.configure(body.get('mode'), isDoc(data) ? data : new Map<string, Value>());
    return { count, ok: 1 };
  },
};
