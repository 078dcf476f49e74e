import { partyKey } from '../../../src/contract/identity.js';
import { admin, astrologer, type Person, user } from '../token.js';

/** People who call each other, and nobody else but the admin. */
export interface Circle {
  members: Person[];
  /** They know the ids of the circle's calls, and have nothing to do with them. The first two have a member's id, under another type. */
  strangers: Person[];
}

/** All admins are one party, who may call everybody and be called. */
export const STAFF: Person[] = [admin('root'), admin('asta'), admin('root')];

/** Circles of three users and three astrologers. */
export function makeCircles(count: number): Circle[] {
  return Array.from({ length: count }, (_, i) => ({
    members: ['a', 'b', 'c'].flatMap((letter) => [user(`u${i}${letter}`), astrologer(`s${i}${letter}`)]),
    strangers: [astrologer(`u${i}a`), user(`s${i}a`), user(`stranger${i}`)],
  }));
}

/** Who may call each other: users and astrologers, and the admin and anybody. */
export function mayTalk(one: Person, other: Person): boolean {
  return one.type !== other.type;
}

export const isSameParty = (one: Person, other: Person): boolean => partyKey(one) === partyKey(other);
