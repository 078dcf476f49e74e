import { type DynamicModule, type Type } from '@nestjs/common';
import { getConnectionToken } from '@nestjs/mongoose';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { startEmbeddedMongo } from '@samvad/embedded-mongo';
import type { Connection } from 'mongoose';
import { AppModule } from '../../src/app.module.js';
import { parseConfig } from '../../src/config/config.js';
import { configureApp } from '../../src/create-app.js';
import { closeAfterAll } from './cleanup.js';
import { TEST_SECRET } from './token.js';

/** Takes the place of a provider of the application, e.g. to make times short. */
export interface Replacement {
  provide: Type;
  useValue: object;
}

export interface TestApp {
  url: string;
  app: NestExpressApplication;
  mongoUri: string;
}

/**
 * The application on a free port with a database of its own, unless MONGODB_URI names another; both are closed after the file's last test.
 * @param variables environment variables on top of the tests' own
 * @param modules modules in addition to the application's
 * @param replacements what stands in for providers of the application
 */
export async function startApp(
  variables: Record<string, string> = {},
  modules: (Type | DynamicModule)[] = [],
  replacements: Replacement[] = [],
): Promise<TestApp> {
  const mongoUri = variables.MONGODB_URI ?? (await startMongo());
  const config = parseConfig({
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'error',
    MONGODB_URI: mongoUri,
    JWT_SECRET: TEST_SECRET,
    // Tests are faster than people; those of the limits say which they want.
    RATE_LIMITS: 'off',
    MAX_SOCKETS_PER_IDENTITY: '1000',
    ...variables,
  });
  const builder = Test.createTestingModule({ imports: [AppModule.with(config), ...modules] });
  for (const { provide, useValue } of replacements) builder.overrideProvider(provide).useValue(useValue);
  const testing = await builder.compile();
  const app = configureApp(testing.createNestApplication<NestExpressApplication>({ logger: false }));
  // Also one that does not come to listen: its timers and connections would keep the process from ending.
  closeAfterAll(() => app.close());
  await app.listen(config.http.port, config.http.host);
  return { url: await app.getUrl(), app, mongoUri };
}

async function startMongo(): Promise<string> {
  // Not durable: these tests end the process in good order; the ones that kill it start a real one.
  const mongo = await startEmbeddedMongo({ durable: false });
  closeAfterAll(() => mongo.close());
  return mongo.uri;
}

/** A collection of the application's database, past the application. */
export function collectionOf<T extends object = Record<string, unknown>>(
  { app }: Pick<TestApp, 'app'>,
  collection: string,
) {
  return app.get<Connection>(getConnectionToken()).collection<T>(collection);
}
