import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model, mongo, Types } from 'mongoose';
import type { Party } from '../contract/identity.js';
import { DirectMessage, type StoredReaction } from './direct-message.schema.js';

/** A message without `seq` is a former backend's, not seen until it is migrated. */
const NUMBERED = { seq: { $gt: 0 } };
const NOT_DELETED = { deletedAt: null } as object;

/**
 * Changes of single messages in `directmessages`. Each method is one round trip; a change is one atomic operation that holds its rule,
 * raises `revision`, and returns the message as it is then, or null when the rule does not hold.
 */
@Injectable()
export class MessageActionsRepository {
  private readonly collection: mongo.Collection<DirectMessage>;

  constructor(@InjectModel(DirectMessage.name) model: Model<DirectMessage>) {
    this.collection = model.collection as unknown as mongo.Collection<DirectMessage>;
  }

  async find(_id: Types.ObjectId): Promise<DirectMessage | null> {
    return this.collection.findOne({ _id, ...NUMBERED });
  }

  /** By its sender, when it was sent after `sentAfter`, can be edited at all, and says something else; empty only beside media. */
  async edit(
    _id: Types.ObjectId,
    sender: Party,
    content: string,
    sentAfter: Date,
  ): Promise<DirectMessage | null> {
    return this.change(
      {
        _id,
        ...NOT_DELETED,
        senderType: sender.type,
        senderId: sender.id,
        messageType: { $ne: 'call_log' },
        timestamp: { $gt: sentAfter },
        content: { $ne: content },
        ...(content.trim() === '' && { mediaUrl: { $ne: null as never } }),
      },
      { $set: { content, editedAt: new Date() } },
    );
  }

  /** Leaves a tombstone, once. Without `sender`, whoever wrote the message. */
  async delete(_id: Types.ObjectId, deletedBy: Party, sender?: Party): Promise<DirectMessage | null> {
    return this.change(
      { _id, ...NOT_DELETED, ...(sender && { senderType: sender.type, senderId: sender.id }) },
      {
        // An image without its URL is no image: to clients a tombstone is a text that says nothing.
        $set: { content: '', messageType: 'text', deletedAt: new Date(), deletedBy },
        $unset: {
          mediaUrl: 1,
          mediaSize: 1,
          mediaDuration: 1,
          thumbnailUrl: 1,
          replyToId: 1,
          reactions: 1,
          editedAt: 1,
        },
      },
    );
  }

  /** By one of its two parties, who has not put this emoji there yet, and fewer than `limit` others. */
  async addReaction(
    _id: Types.ObjectId,
    reaction: StoredReaction,
    limit: number,
  ): Promise<DirectMessage | null> {
    return this.change(
      {
        _id,
        ...NOT_DELETED,
        ...isBetween(reaction),
        reactions: { $not: { $elemMatch: exactly(reaction) } },
        $expr: { $lt: [countOfReactionsBy(reaction), limit] },
      },
      { $push: { reactions: exactly(reaction) } },
    );
  }

  /** By one of its two parties, who has put this emoji there. */
  async removeReaction(_id: Types.ObjectId, reaction: StoredReaction): Promise<DirectMessage | null> {
    return this.change(
      { _id, ...NOT_DELETED, ...isBetween(reaction), reactions: { $elemMatch: exactly(reaction) } },
      { $pull: { reactions: exactly(reaction) } },
    );
  }

  private async change(
    filter: mongo.Filter<DirectMessage>,
    update: mongo.UpdateFilter<DirectMessage>,
  ): Promise<DirectMessage | null> {
    return this.collection.findOneAndUpdate(
      { ...filter, ...NUMBERED },
      { ...update, $inc: { revision: 1 } },
      { returnDocument: 'after' },
    );
  }
}

/** Sender and recipient of a message are the participants of its conversation. */
function isBetween({ id, type }: Party): mongo.Filter<DirectMessage> {
  return {
    $or: [
      { senderType: type, senderId: id },
      { recipientType: type, recipientId: id },
    ],
  };
}

function exactly({ emoji, id, type }: StoredReaction): StoredReaction {
  return { emoji, id, type };
}

/** `$literal`, because an id may begin with a `$`. */
function countOfReactionsBy({ id, type }: Party): object {
  return {
    $size: {
      $filter: {
        input: { $ifNull: ['$reactions', []] },
        cond: { $and: [{ $eq: ['$$this.id', { $literal: id }] }, { $eq: ['$$this.type', type] }] },
      },
    },
  };
}
