import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import { AppLogger } from './logging/app-logger.js';
import { AppModule } from './app.module.js';
import { AppConfig } from './config/config.js';
import { RealtimeAdapter } from './realtime/realtime.adapter.js';

/**
 * Assembles the application; it does not listen yet. The caller closes it.
 * @throws when the database cannot be reached; `listen` throws when an index that an invariant rests on cannot be made
 */
export async function createApp(config: AppConfig): Promise<NestExpressApplication> {
  const logger = new AppLogger(config);
  return configureApp(
    await NestFactory.create<NestExpressApplication>(AppModule.with(config), {
      logger,
      abortOnError: false,
      // No request has a body that anybody reads.
      bodyParser: false,
    }),
  );
}

/** What every assembled application gets, the tests' own included. */
export function configureApp(app: NestExpressApplication): NestExpressApplication {
  const { http } = app.get(AppConfig);
  app.disable('x-powered-by');
  app.set('trust proxy', http.trustedProxies);
  app.use(helmet());
  app.useWebSocketAdapter(new RealtimeAdapter(app));
  return app;
}
