import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import type { AppConfig } from '../config/config.js';
import { type Redact, redactorFor } from './secrets.js';

const LOG_LEVELS: LogLevel[] = ['fatal', 'error', 'warn', 'log', 'debug'];

/** Nest's account of how it put itself together: dozens of lines before the one that matters. */
const FRAMEWORK_CONTEXTS = new Set<unknown>([
  'NestFactory',
  'NestApplication',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'WebSocketsController',
]);

/** Text in development, JSON in production, never with a secret; the framework's own chatter only at debug level. */
export class AppLogger extends ConsoleLogger {
  private readonly showsFramework: boolean;
  private readonly withoutSecrets: Redact;

  constructor(config: AppConfig) {
    const { isProduction, logLevel } = config;
    super({ json: isProduction, logLevels: LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(logLevel) + 1) });
    this.showsFramework = logLevel === 'debug';
    this.withoutSecrets = redactorFor(config);
  }

  override log(message: unknown, ...details: unknown[]): void {
    if (this.showsFramework || !FRAMEWORK_CONTEXTS.has(details.at(-1))) super.log(message, ...details);
  }

  protected override formatMessage(...line: Parameters<ConsoleLogger['formatMessage']>): string {
    return this.withoutSecrets(super.formatMessage(...line));
  }

  protected override stringifyJsonLogObject(line: Record<string, unknown>): string {
    return this.withoutSecrets(super.stringifyJsonLogObject(line));
  }

  /** Nest calls it for errors without a stack, too. */
  protected override printStackTrace(stack: string | undefined): void {
    super.printStackTrace(this.withoutSecrets(stack ?? ''));
  }
}
