import { type DynamicModule, type Type } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { startEmbeddedMongo } from '@samvad/embedded-mongo';
import { AppModule } from '../../src/app.module.js';
import { parseConfig } from '../../src/config/config.js';
import { configureApp } from '../../src/create-app.js';
import { closeAfterAll } from './cleanup.js';
import { TEST_SECRET } from './token.js';

export interface TestApp {
  url: string;
  app: NestExpressApplication;
  mongoUri: string;
}

/**
 * The application on a free port with a database of its own; both are closed after the file's last test.
 * @param variables environment variables on top of the tests' own
 * @param modules modules in addition to the application's
 */
export async function startApp(
  variables: Record<string, string> = {},
  modules: (Type | DynamicModule)[] = [],
): Promise<TestApp> {
  // Not durable: these tests end the process in good order; the ones that kill it start a real one.
  const mongo = await startEmbeddedMongo({ durable: false });
  closeAfterAll(() => mongo.close());
  const config = parseConfig({
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'error',
    MONGODB_URI: mongo.uri,
    JWT_SECRET: TEST_SECRET,
    ...variables,
  });
  const testing = await Test.createTestingModule({ imports: [AppModule.with(config), ...modules] }).compile();
  const app = configureApp(testing.createNestApplication<NestExpressApplication>({ logger: false }));
  await app.listen(config.http.port, config.http.host);
  closeAfterAll(() => app.close());
  return { url: await app.getUrl(), app, mongoUri: mongo.uri };
}
