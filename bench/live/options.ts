import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { numberOf } from '../support/number-of.js';

/** How much is measured. Times in seconds. */
export interface Options {
  /** How many watch. */
  audiences: number[];
  rounds: number;
  seconds: number;
  warmUpSeconds: number;
  /** How many join at once, each time. */
  joins: number;
  /** One of the two parts alone. */
  only: 'fan-out' | 'joins' | undefined;
  /** Names the functions that the time goes to, and keeps the profiles in this folder. */
  keptProfiles: string | undefined;
}

// Many short rounds rather than a few long ones: other work on the machine then hits both servers alike.
const FULL = { audiences: [500, 2000], rounds: 7, seconds: 3, warmUpSeconds: 1, joins: 1000 };
const QUICK = { audiences: [500], rounds: 2, seconds: 1.5, warmUpSeconds: 0.7, joins: 400 };

const USAGE = `npm run bench:live -- [options]
  --quick            one minute instead of seven: rough figures
  --profile          also says which functions the time goes to, and keeps the profiles
  --profiles FOLDER  where to keep them; build/profiles unless told
  --viewers N        how many watch; 500, and then 2,000, unless told
  --joins N          how many join at once
  --only PART        fan-out or joins alone
  --rounds N         how often each server is measured
  --seconds S        how long comments are sent, each time
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
      viewers: { type: 'string' },
      joins: { type: 'string' },
      only: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const preset = values.quick ? QUICK : FULL;
  const seconds = numberOf('seconds', values.seconds, preset.seconds);
  const viewers = Math.ceil(numberOf('viewers', values.viewers, preset.audiences[0] ?? 0));
  const { only } = values;
  if (only !== undefined && only !== 'fan-out' && only !== 'joins')
    throw new Error('--only takes fan-out or joins');
  return {
    only,
    audiences: values.viewers === undefined ? preset.audiences : [viewers],
    rounds: Math.ceil(numberOf('rounds', values.rounds, preset.rounds)),
    seconds,
    warmUpSeconds: Math.min(preset.warmUpSeconds, seconds),
    joins: Math.ceil(numberOf('joins', values.joins, preset.joins)),
    keptProfiles: values.profile ? resolve(values.profiles) : undefined,
  };
}
