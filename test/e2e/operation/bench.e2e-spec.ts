import { readdir } from 'node:fs/promises';
import { temporaryFolder } from '../../support/processes.js';
import { runProgram } from '../../support/programs.js';

/** Very small: that it measures is the point, not how fast this machine is. */
const SMALLEST = ['--quick', '--rounds', '1', '--seconds', '0.3', '--history', '2000'];

describe('npm run bench:direct-message', () => {
  it('prints its figures, having seen that every message arrived once and in order', async () => {
    const folder = await temporaryFolder();
    const args = ['build/bench/direct-message/main.js', ...SMALLEST, '--profile', '--profiles', folder];
    const { code, stdout, stderr } = await runProgram(args, { TMPDIR: folder });

    expect([code, stderr]).toEqual([0, '']);
    const FIGURES = String.raw`\s+\d[\d.]*\s+\d[\d.]*\s+\d+\.\d\d`;
    for (const row of [
      'messages per second',
      'server, CPU µs per message',
      'database, CPU µs per message',
      'ack, p99 ms',
      'delivery, p99 ms',
      String.raw`newest page \(dm:history\)`,
    ])
      expect(stdout).toMatch(new RegExp(row + FIGURES));
    expect(stdout).toContain(
      'Every message was acknowledged once, and received once by both; ours all in order',
    );
    expect(stdout).toMatch(/mongodb +\d+\.\d %/);
    expect((await readdir(folder)).toSorted()).toEqual(['bare.cpuprofile', 'ours.cpuprofile']);
  });

  it('ends with an error, and leaves nothing behind, when the database cannot be reached', async () => {
    const folder = await temporaryFolder();
    const { code, stderr } = await runProgram(['build/bench/direct-message/main.js', ...SMALLEST], {
      TMPDIR: folder,
      MONGODB_URI: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200',
    });
    expect(code).toBe(1);
    expect(stderr).toContain('The bench failed');
    expect(await readdir(folder)).toEqual([]);
  });
});
