import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppError } from '../contract/errors.js';
import { type Identity, isSameParty, type Party, partyOf } from '../contract/identity.js';
import { canonicalConversationId, couldBeParticipant } from '../messaging/conversation-id.js';
import { DirectConversationRepository } from './direct-conversation.repository.js';
import type { DirectConversation } from './direct-conversation.schema.js';

const REMEMBERED_CONVERSATIONS = 50_000;

/** A conversation in which sender and recipient are known to be the participants. */
export interface OpenConversation {
  conversationId: string;
  sender: Party;
  recipient: Party;
}

/** A conversation that the caller may read; `own` is their side of it, which an admin may lack. */
export interface ReadableConversation {
  conversationId: string;
  participants: Party[];
  own?: Party;
}

/** A conversation in which the caller takes part. */
export interface OwnConversation {
  conversationId: string;
  own: Party;
  peer: Party;
}

/** Who belongs to which conversation. Participants never change, so a conversation that was read once is known: no round trip. */
@Injectable()
export class ConversationService {
  private readonly participants = new LRUCache<string, Party[]>({ max: REMEMBERED_CONVERSATIONS });

  constructor(private readonly conversations: DirectConversationRepository) {
    conversations.onConnectionLost(() => this.participants.clear());
  }

  /**
   * The conversation for a message from `user` to `recipient`, made if this is their first.
   * No round trip when it is known; one read when not; one write more when it is new.
   * @throws AppError FORBIDDEN for a pair that may not talk, and for an admin in a conversation of others;
   *   NOT_FOUND for a conversation of others, and for an id that does not exist and is not the pair's;
   *   BAD_REQUEST when only the recipient is not a participant; all of it UNAVAILABLE when the database is away
   */
  async openForSending(user: Identity, recipient: Party, conversationId?: string): Promise<OpenConversation> {
    const sender = partyOf(user);
    const peer = partyOf(recipient);
    const canonicalId = canonicalConversationId(sender, peer);
    const id = conversationId ?? canonicalId;
    const participants = await this.participantsOf(id);
    if (participants !== null) assertParticipants(participants, sender, peer);
    else if (id === canonicalId) await this.create(id, [sender, peer]);
    else throw notFound();
    return { conversationId: id, sender, recipient: peer };
  }

  /**
   * A conversation for its participants and for admins; null for an id that is the caller's to use but not used yet. No round trip
   * when it is known; one read when not.
   * @throws AppError NOT_FOUND for everybody else, whether it exists or not
   */
  async openForReading(user: Identity, conversationId: string): Promise<ReadableConversation | null> {
    const reader = partyOf(user);
    const participants = await this.participantsOf(conversationId);
    if (participants === null) {
      if (!couldBeParticipant(conversationId, reader)) throw notFound();
      return null;
    }
    const own = participants.find((participant) => isSameParty(participant, reader));
    if (own === undefined && user.type !== 'admin') throw notFound();
    return { conversationId, participants, own };
  }

  /**
   * The conversation with that person, made if need be; while nobody has spoken it is listed only for those who opened it.
   * One write.
   * @throws AppError FORBIDDEN for a pair that may not talk
   */
  async openWith(user: Identity, recipient: Party): Promise<DirectConversation> {
    const own = partyOf(user);
    const peer = partyOf(recipient);
    return this.conversations.createIfMissing(canonicalConversationId(own, peer), [own, peer], [own]);
  }

  private async participantsOf(conversationId: string): Promise<Party[] | null> {
    const known = this.participants.get(conversationId);
    if (known !== undefined) return known;
    const found = await this.conversations.findParticipants(conversationId);
    if (found !== null) this.participants.set(conversationId, found);
    return found;
  }

  private async create(conversationId: string, participants: Party[]): Promise<void> {
    // Nobody sees it in a list before the message is stored, which may yet be refused.
    await this.conversations.createIfMissing(conversationId, participants, []);
    this.participants.set(conversationId, participants);
  }
}

/**
 * Who is who in a conversation, for one of its participants.
 * @throws AppError FORBIDDEN for an admin in a conversation of others
 */
export function sidesOf({ conversationId, participants, own }: ReadableConversation): OwnConversation {
  if (own === undefined)
    throw new AppError('FORBIDDEN', 'Admins may read this conversation, not take part in it.');
  const peer = participants.find((participant) => participant !== own) ?? own;
  return { conversationId, own, peer };
}

function assertParticipants(participants: Party[], sender: Party, recipient: Party): void {
  if (!participants.some((participant) => isSameParty(participant, sender))) {
    if (sender.type === 'admin')
      throw new AppError('FORBIDDEN', 'Admins may read this conversation, not write in it.');
    throw notFound();
  }
  if (!participants.some((participant) => isSameParty(participant, recipient))) {
    throw AppError.badField('recipientId', 'the recipient is not a participant of this conversation');
  }
}

function notFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such conversation.');
}
