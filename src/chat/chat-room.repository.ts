import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model, UpdateQuery } from 'mongoose';
import { type Party, partyKey } from '../contract/identity.js';
import { onConnectionLost } from '../database/connection-lost.js';
import { createIndexes } from '../database/create-indexes.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { type ConversationWindow, filterOf } from '../messaging/conversation-window.js';
import { noteOf, touchOf, writeNotes } from '../messaging/noted-conversation.js';
import type { ChatMessage } from './chat-message.schema.js';
import { ChatRoom } from './chat-room.schema.js';

/** What decides who is told of something in a room. */
export type Membership = Pick<ChatRoom, '_id' | 'version' | 'owner' | 'members'>;

const MEMBERSHIP = { version: 1, owner: 1, members: 1 } as const;
/** A room in a list, with no member but the one whose list it is. */
export type ListedRoom = Pick<ChatRoom, '_id' | 'members' | keyof typeof LISTED>;

const LISTED = {
  title: 1,
  owner: 1,
  memberCount: 1,
  createdAt: 1,
  updatedAt: 1,
  activeAt: 1,
  lastSeq: 1,
  lastMessageAt: 1,
} as const;

/** One answer has no more rooms for several people together: they may have 50 members each. */
const MAX_SHARED_ROOMS = 500;

/** Each method is one round trip, unless it says otherwise. */
@Injectable()
export class ChatRoomRepository implements OnModuleInit {
  constructor(@InjectModel(ChatRoom.name) private readonly model: Model<ChatRoom>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  /** Calls `forget` whenever the database was out of sight: it may have come back with less than it had. */
  onConnectionLost(forget: () => void): void {
    onConnectionLost(this.model.db, forget);
  }

  /** False when the creator has a room with this clientRoomId. */
  async insert(room: ChatRoom): Promise<boolean> {
    try {
      await this.model.collection.insertOne(room as never);
      return true;
    } catch (error) {
      if (isDuplicateKey(error, 'clientRoomId')) return false;
      throw error;
    }
  }

  async findCreated(creator: string, clientRoomId: string): Promise<ChatRoom | null> {
    return this.model.findOne({ creator, clientRoomId }).lean();
  }

  async find(conversationId: string): Promise<ChatRoom | null> {
    return this.model.findOne({ _id: conversationId }).lean();
  }

  async findMembership(conversationId: string): Promise<Membership | null> {
    return this.model.findOne({ _id: conversationId }, MEMBERSHIP).lean();
  }

  /** Null when there is no such room. As small as an answer can be. */
  async findVersion(conversationId: string): Promise<number | null> {
    const found = await this.model.findOne({ _id: conversationId }, { _id: 0, version: 1 }).lean();
    return found?.version ?? null;
  }

  /** The room as it is after the change; null when it has changed since `version`. */
  async change(
    { _id, version }: ChatRoom,
    { $inc = {}, ...update }: UpdateQuery<ChatRoom>,
  ): Promise<ChatRoom | null> {
    return this.model
      .findOneAndUpdate(
        { _id, version },
        { ...update, $inc: { ...$inc, version: 1 }, $currentDate: { updatedAt: true } },
        { returnDocument: 'after' },
      )
      .lean();
  }

  /** What was told up to this version is not told again. */
  async dropNotices(conversationId: string, upToVersion: number): Promise<void> {
    await this.model.updateOne(
      { _id: conversationId },
      { $pull: { notices: { version: { $lte: upToVersion } } } },
    );
  }

  /** Rooms of which something is to be told since before then. */
  async findWithNotices(before: Date, limit: number): Promise<ChatRoom[]> {
    return this.model
      .find({ 'notices.at': { $lt: before } })
      .limit(limit)
      .lean();
  }

  /** As `NotedConversations` says. One round trip for each 20. */
  async note(messages: ChatMessage[], touched: string[] = []): Promise<void> {
    await writeNotes(this.model, [...messages.map((message) => noteOf(message)), ...touched.map(touchOf)]);
  }

  /** Somebody's rooms with no member but them, by index range: the cost is that of the page. One more than the window's limit. */
  async page(member: Party, window: ConversationWindow): Promise<ListedRoom[]> {
    const key = partyKey(member);
    return this.model
      .find({ 'members.key': key, ...filterOf(window) }, { ...LISTED, members: { $elemMatch: { key } } })
      .sort({ [window.order]: -1, _id: -1 })
      .limit(window.limit + 1)
      .lean<ListedRoom[]>();
  }

  /** Those of the rooms of which somebody is a member. */
  async idsAmong(member: Party, ids: string[]): Promise<Set<string>> {
    const filter = { _id: { $in: ids }, 'members.key': partyKey(member) };
    const rooms = await this.model.find(filter, { _id: 1 }).lean<Pick<ChatRoom, '_id'>[]>();
    return new Set(rooms.map(({ _id }) => _id));
  }

  /**
   * `partyKey` of those who share one of somebody's rooms: the `limit` of up to so many members that were written in last; for each of these
   * people. A round trip for each when they are in very many rooms.
   */
  async companionsOfAll(people: Party[], maxMembers: number, limit: number): Promise<Set<string>[]> {
    const each = () => Promise.all(people.map((person) => this.companionsOf(person, maxMembers, limit)));
    if (people.length === 1) return each();
    const keys = people.map(partyKey);
    const rooms = await this.model.collection
      .find<Pick<ChatRoom, '_id' | 'activeAt' | 'members'>>(
        { 'members.key': { $in: keys }, memberCount: { $lte: maxMembers } },
        { projection: { activeAt: 1, 'members.key': 1 }, limit: MAX_SHARED_ROOMS },
      )
      .toArray();
    if (rooms.length === MAX_SHARED_ROOMS) return each();
    const roomsOf = new Map<string, typeof rooms>(keys.map((key) => [key, []]));
    for (const room of rooms.toSorted(byActivity))
      for (const { key } of room.members) roomsOf.get(key)?.push(room);
    return keys.map((key) => {
      const own = (roomsOf.get(key) ?? []).slice(0, limit);
      return new Set(own.flatMap(({ members }) => members.map((member) => member.key)));
    });
  }

  private async companionsOf(member: Party, maxMembers: number, limit: number): Promise<Set<string>> {
    const rooms = await this.model
      .find(
        { 'members.key': partyKey(member), memberCount: { $lte: maxMembers } },
        { _id: 0, 'members.key': 1 },
      )
      .sort({ activeAt: -1, _id: -1 })
      .limit(limit)
      .lean<Pick<ChatRoom, 'members'>[]>();
    return new Set(rooms.flatMap(({ members }) => members.map(({ key }) => key)));
  }
}

/** As the database sorts lists of rooms. */
function byActivity(a: Pick<ChatRoom, '_id' | 'activeAt'>, b: Pick<ChatRoom, '_id' | 'activeAt'>): number {
  return b.activeAt.getTime() - a.activeAt.getTime() || (a._id < b._id ? 1 : -1);
}
