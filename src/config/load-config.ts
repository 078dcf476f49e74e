import { ConfigModule } from '@nestjs/config';
import { type AppConfig, parseConfig } from './config.js';

/**
 * Reads `.env` in the working directory, if there is one, and the environment, which goes before it.
 * @throws ConfigError naming every fault at once
 */
export async function loadConfig(): Promise<AppConfig> {
  let config: AppConfig | undefined;
  await ConfigModule.forRoot({
    validate: (variables) => {
      config = parseConfig(variables);
      return {};
    },
  });
  if (config === undefined) throw new Error('The configuration was not read.');
  return config;
}
