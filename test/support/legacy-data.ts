import { mongo } from 'mongoose';
import { newSeed, Random } from '../../packages/embedded-mongo/test/support/random.js';

type Document = mongo.Document;

export interface LegacyData {
  messages: Document[];
  conversations: Document[];
  /** Ids of the messages that can be made usable, in the order in which they were sent, by conversation. */
  order: Map<string, string[]>;
  /** Of those that cannot. */
  broken: Document[];
}

interface Side {
  /** As the former backend's own documents name people. */
  id: mongo.ObjectId;
  type: 'user' | 'astrologer' | 'admin';
}

const CAPITALISED = { user: 'User', astrologer: 'Astrologer', admin: 'Admin' };
const FIRST_DAY = Date.UTC(2023, 0, 1);
const DAY_MS = 86_400_000;

/**
 * What the former backend left after some years: conversations with ObjectIds or with texts as ids, with and without documents and
 * participants, messages with the faults of all its versions. The same for the same seed.
 */
export class LegacyDataMaker {
  readonly random = new Random(newSeed());
  private readonly data: LegacyData = { messages: [], conversations: [], order: new Map(), broken: [] };
  private madeIds = 0;

  constructor() {
    process.stdout.write(`random test, RANDOM_SEED=${this.random.seed}\n`);
  }

  make(conversations: number, messagesEach: number): LegacyData {
    for (let i = 0; i < conversations; i += 1)
      this.makeConversation(i, this.random.below(messagesEach * 2) + 1);
    this.makeLoose();
    // Stored in another order than they were sent in.
    this.data.messages.sort((a, b) => String(a.salt).localeCompare(String(b.salt)));
    for (const message of this.data.messages) delete message.salt;
    return this.data;
  }

  private makeConversation(index: number, messages: number): void {
    const kind = index % 5;
    const astrologer: Side = { id: this.newId(FIRST_DAY), type: 'astrologer' };
    const other: Side = { id: this.newId(FIRST_DAY), type: kind === 1 ? 'admin' : 'user' };
    const _id = this.newId(FIRST_DAY);
    const named = `user_${other.id.toHexString()}_${astrologer.id.toHexString()}`;
    const conversationId = [_id.toHexString(), `admin_${astrologer.id.toHexString()}`, named][kind] ?? named;
    const document = { createdAt: new Date(FIRST_DAY), updatedAt: new Date(), lastMessage: 'old', __v: 0 };
    const participants = [other, astrologer].map(({ id, type }) => ({ id, type: CAPITALISED[type] }));
    if (kind === 0) this.data.conversations.push({ _id, participants, ...document });
    if (kind === 2) this.data.conversations.push({ _id: conversationId, participants: [], ...document });
    if (kind === 3) {
      const stranger = { id: this.newId(FIRST_DAY), type: 'Astrologer' };
      const many = [participants[1], participants[0], stranger, participants[1]];
      this.data.conversations.push({ _id: conversationId, participants: many, ...document });
    }
    if (kind === 4)
      this.data.conversations.push({ _id: conversationId, participants, unreadCount: 3, ...document });
    this.makeMessages(conversationId, [other, astrologer], messages, kind === 4);
  }

  private makeMessages(
    conversationId: string,
    sides: [Side, Side],
    messages: number,
    omitsKinds: boolean,
  ): void {
    const order: string[] = [];
    let time = FIRST_DAY + this.random.below(700) * DAY_MS;
    let ties: string[] = [];
    for (let i = 0; i < messages; i += 1) {
      const isTie = i > 0 && this.random.chance(0.1);
      // Whole seconds: former versions stored some times as seconds.
      if (!isTie) time += (1 + this.random.below(3600)) * 1000;
      const _id = this.newId(time);
      const [from, to] = this.random.chance(0.5) ? sides : [sides[1], sides[0]];
      const message: Document = {
        _id,
        conversationId,
        senderId: from.id.toHexString(),
        senderType: from.type,
        recipientId: to.id.toHexString(),
        recipientType: to.type,
        content: `message ${i}`,
        messageType: 'text',
        timestamp: new Date(time),
        status: 'sent',
        salt: this.random.next(),
        __v: 0,
      };
      if (omitsKinds && i % 3 === 0) {
        delete message.senderType;
        delete message.recipientType;
      }
      this.spoil(message, from.id, time);
      this.data.messages.push(message);
      if (this.random.chance(0.01)) {
        this.data.messages.push(this.broken({ ...message, _id: this.newId(time), salt: this.random.next() }));
      }
      if (!isTie) ties = [];
      ties.push(_id.toHexString());
      order.splice(order.length - ties.length + 1, ties.length - 1, ...ties.toSorted());
    }
    this.data.order.set(conversationId, order);
  }

  /** One of the faults that are put right, or none. */
  private spoil(message: Document, senderId: mongo.ObjectId, time: number): void {
    const spoilers: (() => void)[] = [
      () => (message.timestamp = new Date(time).toISOString()),
      () => (message.timestamp = time / 1000),
      () => Object.assign(message, { timestamp: undefined, createdAt: new Date(time) }),
      () => (message.senderId = senderId),
      () => (message.status = undefined),
      () => Object.assign(message, { status: 'delivered', readAt: new Date(time + 5000) }),
      () => (message.isRead = true),
      () =>
        Object.assign(message, {
          content: null,
          mediaUrl: 'https://cdn.example/a.jpg',
          messageType: 'photo',
        }),
      () => Object.assign(message, { mediaUrl: null, clientMessageId: null }),
      () => {
        if (message.senderType !== undefined) message.clientMessageId = `retry-${this.random.below(3)}`;
      },
      () => (message.replyToId = this.newId(time).toHexString()),
      () => (message.messageType = undefined),
      () => {
        if (/^[0-9a-f]{24}$/.test(message.conversationId as string))
          message.conversationId = new mongo.ObjectId(message.conversationId as string);
      },
    ];
    if (this.random.chance(0.3)) this.random.pick(spoilers)();
    for (const [name, value] of Object.entries(message)) if (value === undefined) delete message[name];
  }

  private broken(message: Document): Document {
    const breakers: ((message: Document) => void)[] = [
      (one) => delete one.conversationId,
      (one) => Object.assign(one, { senderId: '', senderType: 'user' }),
      (one) => Object.assign(one, { senderId: 'an-outsider', senderType: 'user', timestamp: new Date() }),
    ];
    message.clientMessageId = `broken-${message._id}`;
    this.random.pick(breakers)(message);
    const { salt: _salt, ...rest } = message;
    this.data.broken.push(rest);
    return message;
  }

  /** A conversation nobody can be found out of, with and without messages, and one that was opened and never used. */
  private makeLoose(): void {
    const lost = {
      _id: this.newId(FIRST_DAY),
      conversationId: 'lost',
      senderId: 'u1',
      content: 'x',
      timestamp: new Date(),
    };
    this.data.messages.push({ ...lost, salt: this.random.next() });
    this.data.broken.push(lost);
    this.data.conversations.push(
      { _id: 'empty', participants: [] },
      {
        _id: this.newId(FIRST_DAY),
        participants: [
          { id: this.newId(FIRST_DAY), type: 'User' },
          { id: this.newId(FIRST_DAY), type: 'Admin' },
        ],
      },
    );
  }

  private newId(time: number): mongo.ObjectId {
    this.madeIds += 1;
    const seconds = Math.floor(time / 1000)
      .toString(16)
      .padStart(8, '0');
    const random = this.random
      .below(2 ** 32)
      .toString(16)
      .padStart(8, '0');
    return new mongo.ObjectId(`${seconds}${random}${this.madeIds.toString(16).padStart(8, '0')}`);
  }
}
