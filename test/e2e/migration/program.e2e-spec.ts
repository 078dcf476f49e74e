import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startEmbeddedMongo } from '@samvad/embedded-mongo';
import { mongo } from 'mongoose';
import { closeAfterTest } from '../../support/cleanup.js';
import { type LegacyData, LegacyDataMaker } from '../../support/legacy-data.js';
import { startServer, temporaryFolder } from '../../support/processes.js';
import { runProgram } from '../../support/programs.js';

const PROGRAM = 'dist/cli/migrate.js';
const COLLECTIONS = ['directmessages', 'directconversations', 'directmarks'];

async function startDatabase(data: LegacyData): Promise<{ uri: string; database: mongo.Db }> {
  const server = await startEmbeddedMongo({ durable: false });
  closeAfterTest(() => server.close());
  const client = await new mongo.MongoClient(server.uri).connect();
  closeAfterTest(() => client.close());
  const database = client.db('samvad');
  await database.collection('directmessages').insertMany(data.messages.map((message) => ({ ...message })));
  await database.collection('directconversations').insertMany(data.conversations.map((one) => ({ ...one })));
  return { uri: server.uri, database };
}

/** Without `updatedAt`, which says when a document was last written to; and whichever of several messages kept their one id. */
async function everything(database: mongo.Db): Promise<mongo.Document[][]> {
  const read = async (name: string): Promise<mongo.Document[]> => {
    const documents = await database
      .collection(name)
      .find({}, { projection: { updatedAt: 0 }, sort: { _id: 1 } })
      .toArray();
    for (const document of documents) {
      document.anyClientMessageId = (document.clientMessageId ?? document.formerClientMessageId) as unknown;
      delete document.clientMessageId;
      delete document.formerClientMessageId;
    }
    return documents;
  };
  return Promise.all(COLLECTIONS.map(read));
}

const variablesFor = (MONGODB_URI: string, DATA_DIR: string) => ({
  MONGODB_URI,
  DATA_DIR,
  LOG_LEVEL: 'error',
});

describe('npm run migrate', () => {
  it('killed again and again and started again, comes to the same as without', async () => {
    const data = new LegacyDataMaker().make(120, 15);
    const [disturbed, undisturbed] = [await startDatabase(data), await startDatabase(data)];
    const folder = await temporaryFolder();
    const usable = [...data.order.values()].flat().length;
    const numbered = () =>
      disturbed.database.collection('directmessages').countDocuments({ seq: { $gt: 0 } });

    let kills = 0;
    for (const share of [0.15, 0.35, 0.55]) {
      const env = { PATH: process.env.PATH, ...variablesFor(disturbed.uri, folder) };
      const child = spawn(process.execPath, [PROGRAM, '--apply'], { env, stdio: 'ignore' });
      closeAfterTest(() => child.kill('SIGKILL'));
      const ended = once(child, 'exit');
      while (child.exitCode === null && (await numbered()) < usable * share) await wait(5);
      child.kill('SIGKILL');
      await ended;
      if (child.signalCode === 'SIGKILL' && (await numbered()) < usable) kills += 1;
    }
    // On a slow machine a run may have come to its end before it could be killed; not all of them.
    expect(kills).toBeGreaterThan(0);
    const last = await runProgram([PROGRAM, '--apply'], variablesFor(disturbed.uri, folder));
    expect([last.code, last.stderr]).toEqual([0, '']);
    const whole = await runProgram([PROGRAM, '--apply'], variablesFor(undisturbed.uri, folder));
    expect(whole.code).toBe(0);
    expect(await everything(disturbed.database)).toEqual(await everything(undisturbed.database));
    expect(await numbered()).toBe(usable);

    const again = await runProgram([PROGRAM, '--apply'], variablesFor(disturbed.uri, folder));
    expect(again.stdout).toContain('nothing was changed');
  });

  it('works on the embedded database, and says when a server has it', async () => {
    const dataDir = await temporaryFolder();
    const { messages } = new LegacyDataMaker().make(3, 5);
    const embedded = await startEmbeddedMongo({ dir: join(dataDir, 'mongo') });
    const client = await new mongo.MongoClient(embedded.uri).connect();
    await client.db('samvad').collection('directmessages').insertMany(messages);
    await client.close();
    await embedded.close();

    const dry = await runProgram([PROGRAM], { DATA_DIR: dataDir });
    expect([dry.code, dry.stderr]).toEqual([0, '']);
    expect(dry.stdout).toMatch(/dry run, nothing was changed/);
    const applied = await runProgram([PROGRAM, '--apply'], { DATA_DIR: dataDir });
    expect(applied.stdout.split('\n')[1]).toBe(dry.stdout.split('\n')[1]);

    const server = await startServer(dataDir);
    const refused = await runProgram([PROGRAM], { DATA_DIR: dataDir });
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(/^DATA_DIR: .*in use.*Stop the server/);
    await server.stop();
  });

  it('refuses arguments that it does not know, with its usage', async () => {
    const { code, stdout, stderr } = await runProgram([PROGRAM, '--force'], {
      DATA_DIR: await temporaryFolder(),
    });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('Usage: npm run migrate');
  });

  it('is what a server asks for when it starts and finds messages that nobody sees', async () => {
    const { uri } = await startDatabase(new LegacyDataMaker().make(3, 5));
    const folder = await temporaryFolder();
    const hints = async (): Promise<number> => {
      const server = await startServer(folder, { MONGODB_URI: uri });
      await server.stop();
      return server.output().split('npm run migrate').length - 1;
    };
    expect(await hints()).toBe(1);
    const client = await new mongo.MongoClient(uri).connect();
    closeAfterTest(() => client.close());
    // What cannot be migrated would be found again.
    await client
      .db('samvad')
      .collection('directmessages')
      .updateMany({}, [{ $set: { seq: 1, clientMessageId: '$$REMOVE', conversationId: '$_id' } }]);
    expect(await hints()).toBe(0);
  });

  it.each([PROGRAM, 'dist/cli/token.js', 'build/test/support/soak/main.js', 'build/demo/main.js'])(
    '%s says how it is used, for --help',
    async (program) => {
      const { code, stdout, stderr } = await runProgram([program, '--help'], {});
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^usage: npm run /i);
    },
  );
});
