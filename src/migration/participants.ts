import { mongo } from 'mongoose';
import { isSameParty, type Party } from '../contract/identity.js';
import { canonicalConversationId } from '../messaging/conversation-id.js';
import type { ConversationFault } from './faults.js';
import { type LegacyDocument, toParty } from './legacy-values.js';

/** The two of a conversation, and what was wrong with what the conversation said of them. */
export interface Participants {
  pair: Party[];
  faults: ConversationFault[];
}

/** Who the document names, as far as id and kind of each are known. */
export function namedParticipants(document: LegacyDocument | null): Party[] {
  const entries: unknown[] = Array.isArray(document?.participants) ? document.participants : [];
  const parties: Party[] = [];
  for (const entry of entries) {
    const { id, userId, _id, type, userType } = (
      typeof entry === 'object' && entry !== null ? entry : {}
    ) as LegacyDocument;
    const party = toParty(id ?? userId ?? _id, type ?? userType);
    if (party !== undefined && !parties.some((known) => isSameParty(known, party))) parties.push(party);
  }
  return parties;
}

/** Whether the document names its two participants as the server stores them. */
export function isInShape(document: LegacyDocument | null): boolean {
  if (!Array.isArray(document?.members) || !Array.isArray(document.participants)) return false;
  const entries = document.participants as LegacyDocument[];
  return entries.length === 2 && isWrittenAs(entries, namedParticipants(document));
}

/** Sender and recipient of a message, if it names both. */
export function pairOfMessage(message: LegacyDocument): Party[] | undefined {
  const sender = toParty(message.senderId, message.senderType);
  const recipient = toParty(message.recipientId, message.recipientType);
  if (sender === undefined || recipient === undefined || isSameParty(sender, recipient)) return undefined;
  return [sender, recipient];
}

/**
 * What the document says, or else the messages, or else the id. That an id is read happens here alone: the server believes only
 * what is stored.
 */
export function findParticipants(
  conversationId: string,
  document: LegacyDocument | null,
  messages: LegacyDocument[],
): Participants | undefined {
  const named = namedParticipants(document);
  if (named.length === 2) {
    const isAsWritten = isWrittenAs(document?.participants as LegacyDocument[], named);
    return { pair: named, faults: isAsWritten ? [] : ['participants'] };
  }
  const pairs = messages.map(pairOfMessage).filter((pair) => pair !== undefined);
  const fromId = pairOfId(conversationId);
  if (named.length > 2) {
    // The former backend added whoever wrote to any conversation.
    const amongNamed = pairs.filter((pair) => pair.every((party) => includes(named, party)));
    const pair = fromId?.every((party) => includes(named, party)) ? fromId : mostFrequent(amongNamed);
    return { pair: pair ?? named.slice(0, 2), faults: ['participants'] };
  }
  const fitting = pairs.filter((pair) => named.every((party) => includes(pair, party)));
  const confirmed =
    fromId !== undefined && pairs.some((pair) => isSamePair(pair, fromId)) ? fromId : undefined;
  const pair = confirmed ?? mostFrequent(fitting) ?? fromId ?? mostFrequent(pairs);
  if (pair === undefined) return undefined;
  return { pair, faults: [pair === fromId && confirmed === undefined ? 'fromId' : 'fromMessages'] };
}

/** Whether more messages could not change what `findParticipants` says. */
export function isCertain(
  conversationId: string,
  document: LegacyDocument | null,
  messages: LegacyDocument[],
): boolean {
  if (namedParticipants(document).length === 2) return true;
  const fromId = pairOfId(conversationId);
  return fromId !== undefined && messages.some((message) => isSamePair(pairOfMessage(message) ?? [], fromId));
}

/** The pair whose id this is; undefined when it is nobody's, or could be two pairs'. */
export function pairOfId(conversationId: string): Party[] | undefined {
  const [, prefix, first = '', second] =
    /^(admin_user|admin|user)_([^_\s]+)(?:_([^_\s]+))?$/.exec(conversationId) ?? [];
  const unescaped = (part: string | undefined): string =>
    (part ?? '').replaceAll('%5F', '_').replaceAll('%25', '%');
  let pair: (Party | undefined)[];
  if (prefix === 'admin_user') pair = [toParty('', 'admin'), toParty(unescaped(first), 'user')];
  else if (prefix === 'admin') pair = [toParty('', 'admin'), toParty(unescaped(first), 'astrologer')];
  else pair = [toParty(unescaped(first), 'user'), toParty(unescaped(second), 'astrologer')];
  const [a, b] = pair;
  if (a === undefined || b === undefined) return undefined;
  return canonicalConversationId(a, b) === conversationId ? [a, b] : undefined;
}

/** The id under which the server would look for the two; undefined when they may not write to each other. */
export function ownIdOf([first, second]: Party[]): string | undefined {
  try {
    return first === undefined || second === undefined ? undefined : canonicalConversationId(first, second);
  } catch {
    return undefined;
  }
}

/** The ObjectId that this text is, for documents whose id was never text. */
export function objectIdForm(conversationId: string): mongo.ObjectId | undefined {
  return /^[0-9a-f]{24}$/.test(conversationId) ? new mongo.ObjectId(conversationId) : undefined;
}

/** Outsiders wrote here and there; the two of a conversation wrote most of it. */
function mostFrequent(pairs: Party[][]): Party[] | undefined {
  const counted = pairs.map((pair) => ({
    pair,
    times: pairs.filter((other) => isSamePair(other, pair)).length,
  }));
  return counted.toSorted((a, b) => b.times - a.times)[0]?.pair;
}

function isSamePair(a: Party[], b: Party[]): boolean {
  return a.length === b.length && a.every((party) => includes(b, party));
}

function includes(parties: Party[], party: Party): boolean {
  return parties.some((known) => isSameParty(known, party));
}

function isWrittenAs(entries: LegacyDocument[], parties: Party[]): boolean {
  return (
    entries.length === parties.length &&
    parties.every(({ id, type }, index) => entries[index]?.id === id && entries[index]?.type === type)
  );
}
