import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import { partyOf } from '../contract/identity.js';
import { RecurringLook } from '../database/recurring-look.js';
import type { Draft } from '../messaging/stored-message.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { personalRoom } from '../realtime/rooms.js';
import type { ChatMessage } from './chat-message.schema.js';
import { ChatMessageService } from './chat-message.service.js';
import { ChatRoomRepository } from './chat-room.repository.js';
import type { ChatRoom, RoomNotice } from './chat-room.schema.js';
import { ChatTimes } from './chat-times.js';
import { ChatTypingService } from './chat-typing.service.js';
import { SYSTEM_ID_PREFIX } from './chat.dto.js';
import { textOf } from './chat.mapper.js';
import type { KnownRoom } from './known-rooms.js';

/** Rooms that one look attends to. */
const BATCH = 100;

/**
 * Says in a room what happened to it (contract §6): a system message for each change of members or title, and with it `chat:removed` to who
 * is no member any more. The change is stored with a note of what is to be said; the node that made it says so at once, and if it dies
 * before, any other does 5 s later. The version that the change made is in the message's clientMessageId, under a prefix that no client can
 * use: however often it is said, it is stored, and told, once.
 *
 * Round trips: those of a message for each change, and one write. One read by index every 5 s for what was left.
 */
@Injectable()
export class RoomNoticesService extends RecurringLook {
  constructor(
    private readonly emitter: EmitterService,
    private readonly typing: ChatTypingService,
    private readonly messages: ChatMessageService,
    private readonly rooms: ChatRoomRepository,
    private readonly times: ChatTimes,
  ) {
    super('What has happened to rooms cannot be told for now', times.noticeLookMs);
  }

  /** Says all that is to be said of the room, oldest first. May be repeated. @throws AppError UNAVAILABLE */
  async tell({ _id, notices = [] }: ChatRoom): Promise<void> {
    const inOrder = notices.toSorted((a, b) => a.version - b.version);
    for (const notice of inOrder)
      await this.messages.store(messageOf(_id, notice), (now) => this.tellWhoHasGone(now, notice));
    const last = inOrder.at(-1);
    if (last !== undefined) await this.rooms.dropNotices(_id, last.version);
  }

  /** The last that they hear of the room, for what they have on the screen; nothing to who has been let in again since. */
  private tellWhoHasGone(room: KnownRoom, { event, actor, subject, at, socketId }: RoomNotice): void {
    if ((event !== 'removed' && event !== 'left') || room.memberOf(subject) !== undefined) return;
    const { conversationId } = room;
    const { id: removedBy, type: removedByType } = partyOf(actor);
    const removed = { conversationId, removedBy, removedByType, timestamp: at.toISOString() };
    this.emitter.toRooms([personalRoom(subject)], 'chat:removed', removed, socketId);
    this.typing.stopFor(subject, conversationId);
  }

  /** A room whose notices cannot be told keeps no other from it. */
  protected async look(): Promise<boolean> {
    const before = new Date(Date.now() - this.times.noticeAgeMs);
    let failure: unknown;
    for (const room of await this.rooms.findWithNotices(before, BATCH))
      await this.tell(room).catch((error: unknown) => (failure ??= error));
    if (failure !== undefined) throw failure;
    return false;
  }
}

function messageOf(conversationId: string, notice: RoomNotice): Draft<ChatMessage> {
  const { version, event, actor, subject, title, at } = notice;
  const { id, type } = partyOf(actor);
  return {
    _id: new Types.ObjectId(),
    conversationId,
    senderId: id,
    senderType: type,
    senderName: actor.name,
    senderAvatar: actor.avatar,
    content: textOf(notice),
    messageType: 'system',
    clientMessageId: `${SYSTEM_ID_PREFIX}${conversationId}:${version}`,
    timestamp: at,
    roomEvent: {
      event,
      subject: { id: subject.id, type: subject.type },
      ...(title !== undefined && { title }),
    },
  };
}
