export const USER_TYPES = ['user', 'astrologer', 'admin'] as const;

export type UserType = (typeof USER_TYPES)[number];

/** One side of a conversation or call: who, without name and picture. */
export interface Party {
  id: string;
  type: UserType;
}

/** Who a socket belongs to; it comes from the token, never from a payload (contract §1). */
export interface Identity extends Party {
  name: string;
  avatar: string;
}

/** 1–64 printable characters without spaces (contract §2). */
export const ID_PATTERN = /^[^\s\p{C}\p{Z}]{1,64}$/u;

/** The id under which all admins are one party (contract §2 and §3). */
export const SHARED_ADMIN_ID = 'admin';

/** The side on which an identity speaks: every admin speaks as the one shared admin. */
export function partyOf({ id, type }: Party): Party {
  return type === 'admin' ? { id: SHARED_ADMIN_ID, type } : { id, type };
}

/** The identity of all who have the admin key: what is counted by identity is counted for each of its sockets. */
export function isSharedAdmin({ id, type }: Party): boolean {
  return type === 'admin' && id === SHARED_ADMIN_ID;
}

/**
 * A party as one text; all admins are one. Types contain no colons and ids no spaces, so no two parties share one, and a space may
 * follow it.
 */
export function partyKey({ id, type }: Party): string {
  return `${type}:${type === 'admin' ? SHARED_ADMIN_ID : id}`;
}

export function partyOfKey(key: string): Party {
  const colon = key.indexOf(':');
  return { type: key.slice(0, colon) as UserType, id: key.slice(colon + 1) };
}

export function isSameParty(a: Party, b: Party): boolean {
  return a.type === b.type && a.id === b.id;
}

/** Whether a client's value is `{ id, type }` of somebody who could exist; other fields are not looked at. */
export function isPartyShape(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, type } = value as Record<string, unknown>;
  return typeof id === 'string' && ID_PATTERN.test(id) && (USER_TYPES as readonly unknown[]).includes(type);
}
