import { type Party, partyOf, type UserType } from '../contract/identity.js';

/** A party as one text, all admins as one. Types contain no colon, so no two parties share one. */
export function partyKey(person: Party): string {
  const { type, id } = partyOf(person);
  return `${type}:${id}`;
}

export function partyOfKey(key: string): Party {
  const colon = key.indexOf(':');
  return { type: key.slice(0, colon) as UserType, id: key.slice(colon + 1) };
}
