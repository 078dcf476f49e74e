import { constants, setPriority } from 'node:os';
import { Random } from '../soak/random.js';
import { type Attack, run } from './attackers.js';
import { knownEvents } from './known-events.js';

/** A program of its own, so that its work is not on the clock of the good clients: `attack.js <url> <seed> <attackers> <seconds> <ids>`. */
const [url = '', seed, attackers, seconds, ids = ''] = process.argv.slice(2);
const end = performance.now() + Number(seconds) * 1000;
let sent = 0;

const attacks = Array.from({ length: Number(attackers) }, (_, number): Attack => ({
  url,
  events: knownEvents(),
  secrets: ids.split(','),
  random: new Random(Number(seed) + number),
  number,
  isOver: () => performance.now() > end,
  count: () => (sent += 1),
}));
// In earnest it would be on other machines: it must not take the server's time on this one.
setPriority(constants.priority.PRIORITY_LOW);
process.stdout.write('attacking\n');
await Promise.all(attacks.map(run));
process.stdout.write(`sent ${sent}\n`);
process.exit(0);
