import { ConfigModule } from '@nestjs/config';
import { type AppConfig, parseConfig } from './config.js';

/** What whoever reads a diagnostic report, or the environment of the process, must not find there. */
const SECRET_VARIABLES = [
  'JWT_SECRET',
  'JWKS_URL',
  'ADMIN_SECRET_KEY',
  'MONGODB_URI',
  'REDIS_URL',
  'AGORA_APP_CERTIFICATE',
  'FIREBASE_SERVICE_ACCOUNT',
];

/**
 * Reads `.env` in the working directory, if there is one, and the environment, which goes before it. From then on secrets are
 * in the configuration alone.
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
  for (const variable of SECRET_VARIABLES) delete process.env[variable];
  if (config === undefined) throw new Error('The configuration was not read.');
  return config;
}
