import { astrologer, type Person, user } from './token.js';

export interface Pair {
  asha: Person;
  ravi: Person;
  /** A user who has nothing to do with the two. */
  mallory: Person;
  /** Of asha and ravi. */
  conversationId: string;
}

let pairs = 0;

/** Fresh people: what one test does to them no other test of the file sees. */
export function newPair(): Pair {
  pairs += 1;
  const [asha, ravi, mallory] = [user(`asha${pairs}`), astrologer(`ravi${pairs}`), user(`mallory${pairs}`)];
  return { asha, ravi, mallory, conversationId: `user_${asha.id}_${ravi.id}` };
}
