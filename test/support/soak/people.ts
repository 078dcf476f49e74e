import type { Person } from '../token.js';

/** People who talk, and the id under which they do. */
export interface Talk {
  conversationId: string;
  sides: Person[];
}

export const keyOf = ({ id, type }: Person): string => `${type}:${id}`;

export const isSame = (a: Person, b: Person): boolean => keyOf(a) === keyOf(b);

/** The other one of a talk of two. */
export function peerIn({ sides }: Talk, person: Person): Person {
  return sides.find((side) => !isSame(side, person)) ?? person;
}

/** Everybody, once. */
export function everybodyIn(talks: Talk[]): Person[] {
  return [...new Map(talks.flatMap(({ sides }) => sides).map((side) => [keyOf(side), side])).values()];
}
