import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Party, partyKey } from '../contract/identity.js';
import { type ConversationFault, count, type MigrationReport } from './faults.js';
import type { LegacyStore, NewestMessage } from './legacy-store.js';
import type { LegacyDocument } from './legacy-values.js';
import { findParticipants, isCertain, isInShape, ownIdOf, pairOfMessage } from './participants.js';

const REMEMBERED_CONVERSATIONS = 20_000;

/** A conversation as it was found. */
export interface FoundConversation {
  conversationId: string;
  pair: Party[];
  /** Its document under this id, if there is one. */
  document: LegacyDocument | null;
  /** What is known of it, from whichever document. */
  source: LegacyDocument;
  newest: NewestMessage;
  faults: ConversationFault[];
}

/** Finds out who takes part in a conversation, and counts what is wrong with it, once for each. */
export class ConversationLookup {
  private readonly found = new LRUCache<string, { conversation: FoundConversation | null }>({
    max: REMEMBERED_CONVERSATIONS,
  });
  /** Eight bytes of a hash of each: all ids of a million conversations would be too much. */
  private readonly counted = new Set<bigint>();
  private readonly pairs = new Set<bigint>();

  constructor(
    private readonly store: LegacyStore,
    private readonly report: MigrationReport,
  ) {}

  /** Null when its participants cannot be found out. One to four reads, none for one that was just looked up. */
  async find(conversationId: string, messages: LegacyDocument[]): Promise<FoundConversation | null> {
    const known = this.found.get(conversationId);
    if (known !== undefined) return known.conversation;
    const conversation = await this.look(conversationId, messages);
    // Without an index the next message of it may tell more.
    if (conversation === null && !(await this.store.canSample())) return null;
    this.found.set(conversationId, { conversation });
    return conversation;
  }

  /** Whether it was counted before; to be called for those that are migrated, or would be. */
  countOnce({ conversationId, pair, faults }: FoundConversation): boolean {
    const key = hashOf(conversationId);
    if (this.counted.has(key)) return false;
    this.counted.add(key);
    const { conversations } = this.report;
    conversations.migrated += 1;
    for (const fault of faults) count(conversations.faults, fault);
    const pairKey = hashOf(pair.map(partyKey).toSorted().join(' '));
    if (this.pairs.has(pairKey)) count(conversations.faults, 'samePair');
    this.pairs.add(pairKey);
    return true;
  }

  wasCounted(conversationId: string): boolean {
    return this.counted.has(hashOf(conversationId));
  }

  private async evidence(
    conversationId: string,
    source: LegacyDocument | null,
    messages: LegacyDocument[],
  ): Promise<LegacyDocument[]> {
    if (isCertain(conversationId, source, messages) || !(await this.store.canSample())) return messages;
    return this.store.sampleMessages(conversationId);
  }

  private async look(conversationId: string, messages: LegacyDocument[]): Promise<FoundConversation | null> {
    const [document, newest] = await Promise.all([
      this.store.conversation(conversationId),
      this.store.newestMessage(conversationId),
    ]);
    const former = isInShape(document) ? null : await this.store.conversationByObjectId(conversationId);
    const source = document ?? former;
    // What the server has stored and acknowledged stands, and so do those who said it.
    const stored = newest === null ? undefined : pairOfMessage(newest as object as LegacyDocument);
    const participants =
      stored !== undefined && !isInShape(document)
        ? { pair: stored, faults: [] }
        : findParticipants(conversationId, source, await this.evidence(conversationId, source, messages));
    if (participants === undefined) return null;
    const faults = [...participants.faults];
    if (source === null) faults.push('noDocument');
    if (document === null && former !== null) faults.push('objectId');
    if (newest !== null && source?.migrating !== true) faults.push('started');
    const ownId = ownIdOf(participants.pair);
    if (ownId === undefined) faults.push('mayNotWrite');
    else if (ownId !== conversationId) faults.push('otherId');
    return { conversationId, pair: participants.pair, document, source: source ?? {}, newest, faults };
  }
}

function hashOf(text: string): bigint {
  return createHash('sha256').update(text).digest().readBigUInt64LE();
}
