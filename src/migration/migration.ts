import type { Connection } from 'mongoose';
import { ProfileRepository } from '../auth/profile.repository.js';
import type { Party } from '../contract/identity.js';
import { ConversationLookup, type FoundConversation } from './conversation-lookup.js';
import { ConversationWriter } from './conversation-writer.js';
import { count, emptyReport, type MigrationReport } from './faults.js';
import { LegacyStore } from './legacy-store.js';
import { type LegacyDocument, toConversationId, toObjectId } from './legacy-values.js';
import { OPTIONAL_FIELDS, planMessage, selfBroken } from './message-plan.js';
import { type Numberable, Numbering } from './numbering.js';
import { Lanes } from './lanes.js';
import { isInShape } from './participants.js';
import { countOrderFaults, repairClientMessageIds, repairOrder } from './repairs.js';
import { SenderProfiles } from './sender-profiles.js';

/** Messages that share a command; what is held in memory is a few times as much. */
const BATCH = 500;
/** Batches, of different conversations, under way at a time: they share the database's waits for its disk. */
const PARALLEL = 16;

export interface MigrationOptions {
  /** False, the default: a dry run, which writes nothing. */
  apply?: boolean;
  /** Called now and then with the messages that were looked at, and how many there are. */
  onProgress?: (done: number, total: number) => void;
}

/** A conversation whose messages are being numbered. */
interface Open {
  pair: Party[];
  numbering: Numbering;
}

/**
 * Brings what the former backend stored into the server's shape, in place. It may be killed at any line and started again, it may be
 * repeated, and servers may read and write meanwhile. Nothing is deleted; what cannot be made usable is left as it is and counted.
 */
export class Migration {
  private readonly store: LegacyStore;
  private readonly report: MigrationReport;
  private readonly lookup: ConversationLookup;
  private readonly writer: ConversationWriter;
  private readonly profiles: SenderProfiles;
  private readonly open = new Map<string, Open>();

  constructor(
    connection: Connection,
    private readonly options: MigrationOptions = {},
  ) {
    this.store = new LegacyStore(connection);
    this.report = emptyReport(options.apply === true);
    this.lookup = new ConversationLookup(this.store, this.report);
    this.writer = new ConversationWriter(this.store);
    this.profiles = new SenderProfiles(new ProfileRepository(connection));
  }

  /** How many nodes of the server use the database now. */
  countLiveNodes(): Promise<number> {
    return this.store.countLiveNodes();
  }

  /** To be called once. */
  async run(): Promise<MigrationReport> {
    const { isApplied } = this.report;
    const total = await this.store.countPending();
    await repairClientMessageIds(this.store, this.report);
    if (isApplied && total > 0) await this.prepare();
    await this.migrateMessages(total);
    if (isApplied) await this.finishInterrupted();
    await this.migrateSilentConversations();
    if (isApplied) await this.store.dropTemporaryIndex();
    return this.report;
  }

  private async prepare(): Promise<void> {
    await this.store.makeServerIndexes();
    await repairOrder(this.store, this.report);
    await this.store.makeTemporaryIndex();
  }

  private async migrateMessages(total: number): Promise<void> {
    if (total === 0) return;
    const lanes = new Lanes(PARALLEL);
    let batch: LegacyDocument[] = [];
    let done = 0;
    const flush = (isLast: boolean): Promise<void> => {
      const messages = batch;
      batch = [];
      return lanes.start(String(messages[0]?.conversationId), async () => {
        await this.migrateBatch(messages);
        if (isLast) await this.close(String(messages[0]?.conversationId));
        this.options.onProgress?.((done += messages.length), total);
      });
    };
    const cursor = this.report.isApplied ? this.store.pendingInOrder() : this.store.pending();
    try {
      for await (const message of cursor.batchSize(2 * BATCH)) {
        if (batch.length > 0 && batch[0]?.conversationId !== message.conversationId) await flush(true);
        else if (batch.length >= BATCH) await flush(false);
        batch.push(message);
      }
      if (batch.length > 0) await flush(true);
    } finally {
      await lanes.end();
    }
  }

  /** @param messages of one conversation, oldest first */
  private async migrateBatch(messages: LegacyDocument[]): Promise<void> {
    const usable = messages.filter((message) => this.isSound(message));
    const conversationId = toConversationId(usable[0]?.conversationId);
    if (conversationId === undefined) return;
    const conversation = await this.lookup.find(conversationId, usable);
    if (conversation === null) return count(this.report.messages.broken, 'noParticipants', usable.length);
    const numberable = usable.flatMap((message) => this.plan(message, conversation));
    if (numberable.length === 0) return;
    const filled = await this.profiles.fill(numberable.map(({ fields }) => fields));
    count(this.report.messages.faults, 'profile', filled);
    if (this.report.isApplied) await this.number(conversation, numberable);
    else this.lookup.countOnce(conversation);
    this.report.messages.numbered += numberable.length;
  }

  private isSound(message: LegacyDocument): boolean {
    const broken = selfBroken(message);
    if (broken !== undefined) count(this.report.messages.broken, broken);
    else if (!this.report.isApplied) countOrderFaults(this.report, message);
    return broken === undefined;
  }

  private plan(message: LegacyDocument, { pair }: FoundConversation): Numberable[] {
    const plan = planMessage(message, pair);
    if ('broken' in plan) {
      count(this.report.messages.broken, plan.broken);
      return [];
    }
    for (const fault of plan.faults) count(this.report.messages.faults, fault);
    const { fields } = plan;
    const stale = OPTIONAL_FIELDS.filter((name) => message[name] !== undefined && fields[name] === undefined);
    return [{ _id: message._id as Numberable['_id'], fields, stale }];
  }

  private async number(conversation: FoundConversation, messages: Numberable[]): Promise<void> {
    const { conversationId, pair, newest } = conversation;
    let open = this.open.get(conversationId);
    if (open === undefined) {
      this.lookup.countOnce(conversation);
      await this.writer.begin(conversation, messages[0]?.fields.timestamp ?? new Date());
      open = { pair, numbering: new Numbering(this.store, this.report, conversationId, pair, newest) };
      this.open.set(conversationId, open);
    }
    await open.numbering.append(messages);
  }

  private async close(conversationId: string): Promise<void> {
    const open = this.open.get(conversationId);
    if (open === undefined) return;
    this.open.delete(conversationId);
    await this.writer.finish(conversationId, open.pair);
  }

  /** Conversations whose messages all have their places, but which a killed run did not get to finish. */
  private async finishInterrupted(): Promise<void> {
    for await (const document of this.store.conversations.find({ migrating: true })) {
      const conversation = await this.lookup.find(String(document._id), []);
      if (conversation === null) continue;
      this.lookup.countOnce({ ...conversation, faults: [] });
      await this.writer.finish(conversation.conversationId, conversation.pair);
    }
  }

  /** Documents of conversations that have no former messages. */
  private async migrateSilentConversations(): Promise<void> {
    for await (const document of this.store.conversations.find({ members: { $exists: false } })) {
      const conversationId = toConversationId(document._id);
      if (conversationId === undefined || this.lookup.wasCounted(conversationId)) continue;
      if (await this.hasCopy(document, conversationId)) continue;
      const conversation = await this.lookup.find(conversationId, []);
      if (conversation === null) this.report.conversations.broken += 1;
      else await this.migrateSilent(conversation, document);
    }
  }

  private async migrateSilent(conversation: FoundConversation, document: LegacyDocument): Promise<void> {
    this.lookup.countOnce(conversation);
    if (!this.report.isApplied) return;
    await this.writer.begin(conversation, toObjectId(document._id)?.getTimestamp() ?? new Date());
    await this.writer.finish(conversation.conversationId, conversation.pair);
  }

  private async hasCopy({ _id }: LegacyDocument, conversationId: string): Promise<boolean> {
    return typeof _id !== 'string' && isInShape(await this.store.conversation(conversationId));
  }
}
