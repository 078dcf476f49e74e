import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import { AppConfig } from '../config/config.js';
import type {
  DirectMessagePayload,
  MessageDeletedPayload,
  ReactionUpdatedPayload,
} from '../contract/direct-message.js';
import { AppError } from '../contract/errors.js';
import { type Identity, partyOf } from '../contract/identity.js';
import type { ServerEvents } from '../contract/server-events.js';
import { BlockService } from '../messaging/block.service.js';
import { KeyedQueue } from '../messaging/keyed-queue.js';
import { type Mark, markId } from '../messaging/mark.schema.js';
import { PushService } from '../push/push.service.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { DirectMarkRepository } from './direct-mark.repository.js';
import { toDeletedPayload, toPayload, toReactionsPayload } from './direct-message.mapper.js';
import type { DirectMessage } from './direct-message.schema.js';
import { LastMessageService } from './last-message.service.js';
import type { EditMessageDto, ReactionDto } from './message-actions.dto.js';
import { MessageActionsRepository } from './message-actions.repository.js';
import { roomsOf } from './message-rooms.js';
import {
  assertRoomForReaction,
  hasReaction,
  isDeletedFor,
  isEdited,
  MAX_REACTIONS_EACH,
  type MessageRole,
  messageNotFound,
  recipientOf,
  roleIn,
  senderOf,
} from './message-rules.js';

/** A change is tried again when what stood in its way was gone a moment later; so many times in a row are no race. */
const MAX_TRIES = 10;

/** A change of one message. */
interface Change<P extends keyof ServerEvents> {
  id: Types.ObjectId;
  /** Whether the other party is shown something new by it: not to somebody who has blocked the one who does it. */
  isNewToPeer: boolean;
  /** The atomic change; null when its rule does not hold. */
  apply: () => Promise<DirectMessage | null>;
  /** Looks why the rule did not hold: throws the reason, or tells whether the message is as it was asked for. */
  isDone: (message: DirectMessage, role: MessageRole) => boolean;
  event: P;
  toPayload: (message: DirectMessage) => ServerEvents[P] | Promise<ServerEvents[P]>;
  /** What else follows from it, for a repeat too; not waited for. */
  andThen?: (message: DirectMessage) => void;
}

/**
 * Editing, deleting and reacting (contract §3). A change is announced to both parties and to those who have the conversation open, once,
 * then noted in the conversation, then acknowledged; a repeat changes and announces nothing. Two changes of a message may be announced
 * in either order: the higher `revision` is right.
 *
 * Database round trips: 1 for the change, 1 before an edit or reaction (is the pair blocked), 1 for an edit's read mark, and those of `LastMessageService.noteChange`. A repeat costs one read more, a refusal one read
 * in place of the note. A change is encoded once for all its receivers and once for the ack.
 */
@Injectable()
export class MessageActionsService {
  /** What one socket does to one message happens in the order in which it came. */
  private readonly inArrivalOrder = new KeyedQueue();

  constructor(
    private readonly config: AppConfig,
    private readonly emitter: EmitterService,
    private readonly lastMessages: LastMessageService,
    private readonly messages: MessageActionsRepository,
    private readonly marks: DirectMarkRepository,
    private readonly blocks: BlockService,
    private readonly push: PushService,
  ) {}

  /**
   * Replaces the text. The same text again is no edit, and no fault even when the time for edits is over.
   * @throws AppError NOT_FOUND; FORBIDDEN for anybody but the sender, and for a sender whom the recipient has blocked; BAD_REQUEST for no text without media; CONFLICT with state
   *   `deleted`, `not_editable` (call logs) or `edit_window_over`; UNAVAILABLE
   */
  edit(user: Identity, socketId: string, dto: EditMessageDto): Promise<DirectMessagePayload> {
    const id = new Types.ObjectId(dto.messageId);
    const content = dto.content.toWellFormed();
    const sentAfter = new Date(Date.now() - this.config.directMessage.editWindowMs);
    return this.carryOut(user, socketId, {
      id,
      isNewToPeer: true,
      apply: () => this.messages.edit(id, partyOf(user), content, sentAfter),
      isDone: (message, role) => isEdited(message, role, content, sentAfter),
      event: 'dm:message_updated',
      toPayload: async (message) => toPayload(message, await this.recipientMark(message)),
    });
  }

  /**
   * Leaves a tombstone in place of the message, by its sender or by any admin.
   * @throws AppError NOT_FOUND; FORBIDDEN for the recipient; UNAVAILABLE
   */
  delete(user: Identity, socketId: string, messageId: string): Promise<MessageDeletedPayload> {
    const id = new Types.ObjectId(messageId);
    const deletedBy = partyOf(user);
    return this.carryOut(user, socketId, {
      id,
      isNewToPeer: false,
      apply: () => this.messages.delete(id, deletedBy, user.type === 'admin' ? undefined : deletedBy),
      isDone: (message, role) => isDeletedFor(user, message, role),
      event: 'dm:message_deleted',
      toPayload: toDeletedPayload,
      andThen: (message) => this.push.messageDeleted(recipientOf(message), messageId),
    });
  }

  /**
   * Puts an emoji on a message, once per person and emoji, and at most 20 different ones per person.
   * @throws AppError NOT_FOUND; FORBIDDEN for an admin who takes no part, and for who is blocked by the other one; CONFLICT with state
   *   `deleted` or `too_many_reactions`; UNAVAILABLE
   */
  react(
    user: Identity,
    socketId: string,
    { messageId, emoji }: ReactionDto,
  ): Promise<ReactionUpdatedPayload> {
    const id = new Types.ObjectId(messageId);
    return this.carryOut(user, socketId, {
      id,
      isNewToPeer: true,
      apply: () => this.messages.addReaction(id, { emoji, ...partyOf(user) }, MAX_REACTIONS_EACH),
      isDone: (message, role) => {
        if (hasReaction(user, message, role, emoji)) return true;
        assertRoomForReaction(user, message);
        return false;
      },
      event: 'dm:reaction_updated',
      toPayload: toReactionsPayload,
    });
  }

  /**
   * Takes one's own emoji away again.
   * @throws AppError NOT_FOUND; FORBIDDEN for an admin who takes no part; CONFLICT with state `deleted`; UNAVAILABLE
   */
  unreact(
    user: Identity,
    socketId: string,
    { messageId, emoji }: ReactionDto,
  ): Promise<ReactionUpdatedPayload> {
    const id = new Types.ObjectId(messageId);
    return this.carryOut(user, socketId, {
      id,
      isNewToPeer: false,
      apply: () => this.messages.removeReaction(id, { emoji, ...partyOf(user) }),
      isDone: (message, role) => !hasReaction(user, message, role, emoji),
      event: 'dm:reaction_updated',
      toPayload: toReactionsPayload,
    });
  }

  private carryOut<P extends keyof ServerEvents>(
    user: Identity,
    socketId: string,
    change: Change<P>,
  ): Promise<ServerEvents[P]> {
    return this.inArrivalOrder.run(`${socketId} ${change.id.toHexString()}`, async () => {
      if (change.isNewToPeer) await this.assertNotBlocked(user, change.id);
      const { message, isNew } = await this.apply(user, change);
      const payload = await change.toPayload(message);
      // At once when it is stored, because a retry would not announce it.
      if (isNew) this.emitter.toRooms(roomsOf(message), change.event, payload);
      // From here on for a repeat too: the node that made the change may have died before this.
      change.andThen?.(message);
      if (message.revision !== undefined) await this.lastMessages.noteChange(message);
      return payload;
    });
  }

  /** @throws AppError FORBIDDEN */
  private async assertNotBlocked(user: Identity, id: Types.ObjectId): Promise<void> {
    const message = await this.messages.find(id);
    const role = message === null ? undefined : roleIn(message, user);
    if (message === null || role === undefined || role === 'admin') return;
    const peer = role === 'sender' ? recipientOf(message) : senderOf(message);
    await this.blocks.assertNotBlocked(partyOf(user), peer);
  }

  /** An edited message is as read as it was before. When the mark cannot be read, the status is that of the moment of sending. */
  private async recipientMark(message: DirectMessage): Promise<Mark | undefined> {
    const id = markId(recipientOf(message), message.conversationId);
    const marks = await this.marks.findAll([id]).catch(() => undefined);
    return marks?.get(id);
  }

  /** `isNew` is false when the message was as it was asked for before. */
  private async apply<P extends keyof ServerEvents>(
    user: Identity,
    { id, apply, isDone }: Change<P>,
  ): Promise<{ message: DirectMessage; isNew: boolean }> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const changed = await apply();
      if (changed !== null) return { message: changed, isNew: true };
      const message = await this.messages.find(id);
      const role = message === null ? undefined : roleIn(message, user);
      if (message === null || role === undefined) throw messageNotFound();
      if (isDone(message, role)) return { message, isNew: false };
      // What stood in the way went between change and look: somebody else changed the message just then.
    }
    throw new AppError('UNAVAILABLE', 'The message is being changed by others. Try again.');
  }
}
