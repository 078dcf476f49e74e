import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppError } from '../contract/errors.js';
import { type Identity, isSameParty, type Party, partyOf } from '../contract/identity.js';
import { canonicalConversationId, couldBeParticipant } from './conversation-id.js';
import { DirectConversationRepository } from './direct-conversation.repository.js';

const REMEMBERED_CONVERSATIONS = 50_000;

/** A conversation in which sender and recipient are known to be the participants. */
export interface OpenConversation {
  conversationId: string;
  sender: Party;
  recipient: Party;
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
   * Whether the conversation exists; passes for participants, for admins, and for an id that is the caller's to use but not used yet.
   * @throws AppError NOT_FOUND for everybody else, whether it exists or not
   */
  async openForReading(user: Identity, conversationId: string): Promise<{ exists: boolean }> {
    const reader = partyOf(user);
    const participants = await this.participantsOf(conversationId);
    if (participants === null) {
      if (!couldBeParticipant(conversationId, reader)) throw notFound();
      return { exists: false };
    }
    const mayRead =
      user.type === 'admin' || participants.some((participant) => isSameParty(participant, reader));
    if (!mayRead) throw notFound();
    return { exists: true };
  }

  private async participantsOf(conversationId: string): Promise<Party[] | null> {
    const known = this.participants.get(conversationId);
    if (known !== undefined) return known;
    const found = await this.conversations.findParticipants(conversationId);
    if (found !== null) this.participants.set(conversationId, found);
    return found;
  }

  private async create(conversationId: string, participants: Party[]): Promise<void> {
    await this.conversations.createIfMissing(conversationId, participants);
    this.participants.set(conversationId, participants);
  }
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
