import { parseArgs } from 'node:util';
import { Logger } from '@nestjs/common';
import { SingleBar } from 'cli-progress';
import { loadConfig } from '../config/load-config.js';
import { Migration } from '../migration/migration.js';
import { openDatabase } from '../migration/open-database.js';
import { describeReport } from '../migration/report-text.js';

const USAGE = `Usage: npm run migrate [-- --apply]
  Without --apply it says what is to be done and changes nothing.`;

/** Makes the messages and conversations of the former backend usable. README, "Coming from the former backend". */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { apply: { type: 'boolean', default: false }, help: { type: 'boolean' } },
  });
  if (values.help) return void process.stdout.write(`${USAGE}\n`);
  const config = await loadConfig();
  Logger.overrideLogger(['error', 'warn']);
  const database = await openDatabase(config);
  const bar = new SingleBar({
    format: '{bar} {percentage} %  {value} of {total} messages  {eta_formatted} left',
    etaBuffer: 100,
  });
  let isBarShown = false;
  try {
    const migration = new Migration(database.connection, {
      apply: values.apply,
      onProgress: (done, total) => {
        if (isBarShown) return bar.update(done);
        bar.start(total, done);
        isBarShown = true;
      },
    });
    warnOfServers(await migration.countLiveNodes());
    const report = await migration.run();
    bar.stop();
    process.stdout.write(`${describeReport(report)}\n`);
  } finally {
    bar.stop();
    await database.close();
  }
}

function warnOfServers(nodes: number): void {
  if (nodes === 0) return;
  process.stderr.write(
    `A server uses this database now (nodes: ${nodes}). Nothing is lost, but what is sent meanwhile may get its place before older\n` +
      'messages of the same conversation, for good. Stop it first if you can.\n',
  );
}

try {
  await main();
} catch (error) {
  const { message, code } = error as NodeJS.ErrnoException;
  const isUsage = code?.startsWith('ERR_PARSE_ARGS');
  process.stderr.write(`${message}\n${isUsage ? `${USAGE}\n` : ''}`);
  process.exitCode = 1;
}
