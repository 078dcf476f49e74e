import { admin, astrologer, type Person, user } from '../token.js';

const CONVERSATIONS_OF_USERS = 18;
const ASTROLOGERS = 9;

/** Two people who talk, and the id under which they do. */
export interface Talk {
  conversationId: string;
  sides: [Person, Person];
}

/** 20 conversations: of users with astrologers who have several each, and of the admin with one of either. */
export function makeTalks(): Talk[] {
  const talks = Array.from({ length: CONVERSATIONS_OF_USERS }, (_, i): Talk => {
    const [one, other] = [user(`u${i}`), astrologer(`a${i % ASTROLOGERS}`)];
    return { conversationId: `user_${one.id}_${other.id}`, sides: [one, other] };
  });
  return [
    ...talks,
    { conversationId: 'admin_a0', sides: [admin(), astrologer('a0')] },
    { conversationId: 'admin_user_u0', sides: [admin(), user('u0')] },
  ];
}

export const keyOf = ({ id, type }: Person): string => `${type}:${id}`;

export const isSame = (a: Person, b: Person): boolean => keyOf(a) === keyOf(b);

/** The other one of a talk. */
export function peerIn({ sides: [one, other] }: Talk, person: Person): Person {
  return isSame(one, person) ? other : one;
}

/** Everybody, once. */
export function everybodyIn(talks: Talk[]): Person[] {
  return [...new Map(talks.flatMap(({ sides }) => sides).map((side) => [keyOf(side), side])).values()];
}
