import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { numberOf } from '../support/number-of.js';

/** How much is measured. Times in seconds. */
export interface Options {
  pairs: number;
  inFlight: number;
  rounds: number;
  seconds: number;
  warmUpSeconds: number;
  /** Messages in the large conversation, and how often its pages are asked for. */
  history: number;
  historyRequests: number;
  profileSeconds: number;
  /** Names the functions that the time goes to, and keeps the profiles in this folder. */
  keptProfiles: string | undefined;
}

// Many short rounds rather than a few long ones: other work on the machine then hits both servers alike.
const FULL = { rounds: 8, seconds: 4, warmUpSeconds: 1.5, history: 1_000_000, historyRequests: 400 };
const QUICK = { rounds: 2, seconds: 1.5, warmUpSeconds: 0.7, history: 20_000, historyRequests: 100 };

const USAGE = `npm run bench:direct-message -- [options]
  --quick            half a minute instead of four: rough figures
  --profile          also says which functions the time goes to, and keeps the profiles
  --profiles FOLDER  where to keep them; build/profiles unless told
  --rounds N         how often each server is measured, for throughput and for latency
  --seconds S        how long, each time
  --history N        messages in the large conversation
MONGODB_URI names a MongoDB to use instead of the embedded one; two databases are made there, and dropped.
`;

/** Prints the usage and ends for `--help`. @throws for options that make no sense */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      profiles: { type: 'string', default: 'build/profiles' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      history: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const preset = values.quick ? QUICK : FULL;
  const seconds = numberOf('seconds', values.seconds, preset.seconds);
  return {
    ...preset,
    pairs: 50,
    inFlight: 4,
    rounds: Math.ceil(numberOf('rounds', values.rounds, preset.rounds)),
    seconds,
    warmUpSeconds: Math.min(preset.warmUpSeconds, seconds),
    history: Math.ceil(numberOf('history', values.history, preset.history)),
    profileSeconds: Math.min(seconds, 5),
    keptProfiles: values.profile ? resolve(values.profiles) : undefined,
  };
}
