import { parseArgs } from 'node:util';
import { newSeed } from '../soak/random.js';
import { runFuzz } from './run-fuzz.js';

const USAGE = 'usage: npm run fuzz -- [--minutes 10] [--seed N]';
const MAX_P99_FACTOR = 3;
const MEMORY_TOLERANCE = 0.1;
const SHOWN_PROBLEMS = 100;

const print = (line: string): boolean => process.stdout.write(`${line}\n`);
const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

function readOptions(): { minutes: number; seed: number } {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(newSeed()) },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    print(USAGE);
    process.exit(0);
  }
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
  if (!(minutes >= 0.2 && minutes <= 10_000)) throw new RangeError('--minutes must be 0.2 to 10000');
  if (!Number.isSafeInteger(seed)) throw new RangeError('--seed must be a whole number');
  return { minutes, seed };
}

async function fuzz({ minutes, seed }: { minutes: number; seed: number }): Promise<number> {
  print(`${minutes} min of attack by 50, while 20 talk; --seed ${seed}`);
  const report = await runFuzz({
    seed,
    calmSeconds: Math.min(minutes * 12, 60),
    attackSeconds: minutes * 60,
    patienceSeconds: 120,
    memoryTolerance: MEMORY_TOLERANCE,
    tell: print,
  });
  const { calmP99Ms, attackedP99Ms, memoryBefore, memoryAfter } = report;
  const problems = [...report.problems];
  if (attackedP99Ms > calmP99Ms * MAX_P99_FACTOR)
    problems.push(`the good clients' p99 is ${(attackedP99Ms / calmP99Ms).toFixed(1)} times what it was`);
  if (memoryAfter > memoryBefore * (1 + MEMORY_TOLERANCE)) problems.push('the memory did not come back');
  for (const problem of problems.slice(0, SHOWN_PROBLEMS)) print(`WRONG ${problem}`);
  print(`${report.attacks} attacks, ${report.messages} messages`);
  print(`p99 ${calmP99Ms.toFixed(1)} ms in peace, ${attackedP99Ms.toFixed(1)} ms under attack`);
  print(`memory ${megabytes(memoryBefore)} MiB before, ${megabytes(memoryAfter)} MiB after`);
  print(problems.length === 0 ? 'It held.' : `${problems.length} problems`);
  return problems.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await fuzz(readOptions());
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
  process.exitCode = 1;
}
