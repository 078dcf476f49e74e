import { Logger } from '@nestjs/common';
import type { AppConfig } from './config/config.js';

/** Tells who started the server by hand where it is, where its data is and how to get in; production logs stay pure JSON. */
export function printBanner(url: string, config: AppConfig): void {
  const address = url
    .replace('[::1]', 'localhost')
    .replace('0.0.0.0', 'localhost')
    .replace('[::]', 'localhost');
  if (config.isProduction) {
    new Logger('Start').log(`Samvad listens on ${address}`);
    return;
  }
  const data = config.database.uri === undefined ? config.database.dataDir : 'the MongoDB of MONGODB_URI';
  process.stdout.write(
    [
      '',
      `Samvad listens on ${address}`,
      `  Data:   ${data}`,
      '  Token:  npm run token -- --type user --id u1 --name Asha',
      `  Health: ${address}/health/ready`,
      '',
      '',
    ].join('\n'),
  );
}
