import { Injectable } from '@nestjs/common';
import type { ConversationJoinedPayload } from '../contract/direct-message.js';
import type { Identity } from '../contract/identity.js';
import { KeyedQueue } from '../messaging/keyed-queue.js';
import { RoomMemory } from '../open-rooms/room-memory.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { conversationRoom } from '../realtime/rooms.js';
import { ConversationService } from './conversation.service.js';

/** Under which open conversations are remembered; stored. */
const ROOM_KIND = 'conversation';

/**
 * Which sockets have a conversation open (contract §3); nothing but typing depends on it, and what admins see of others' conversations.
 *
 * Database round trips. Joining: 1, shared by those of a socket that come together, and 1 for a conversation not remembered.
 * Leaving: 1, or 0 for a room that one is not in.
 */
@Injectable()
export class OpenConversationService {
  /** By socket: a leave must not pass the join before it. */
  private readonly inArrivalOrder = new KeyedQueue();

  constructor(
    private readonly emitter: EmitterService,
    private readonly access: ConversationService,
    private readonly roomMemory: RoomMemory,
  ) {
    // Participants never change, and an admin who is none any more has another identity.
    roomMemory.register(ROOM_KIND, { roomOf: conversationRoom, canReturn: () => true });
  }

  /**
   * @param socketId the socket that joins
   * @throws AppError NOT_FOUND, UNAVAILABLE
   */
  async join(user: Identity, socketId: string, conversationId: string): Promise<ConversationJoinedPayload> {
    const { stored } = await this.inArrivalOrder.run(socketId, async () => {
      const conversation = await this.access.openForReading(user, conversationId);
      if (conversation === null) return { stored: undefined };
      await this.emitter.joinRoom(socketId, conversationRoom(conversationId));
      return { stored: this.roomMemory.enter(socketId, ROOM_KIND, conversationId) };
    });
    // Outside of the queue: the joins of a socket share their writes.
    await stored;
    const joined: ConversationJoinedPayload = { conversationId, success: true };
    this.emitter.toSocket(socketId, 'dm:joined', joined);
    return joined;
  }

  /**
   * Leaving a room that one is not in is no fault.
   * @throws AppError UNAVAILABLE
   */
  async leave(socketId: string, conversationId: string): Promise<ConversationJoinedPayload> {
    const { stored } = await this.inArrivalOrder.run(socketId, async () => {
      await this.emitter.leaveRoom(socketId, conversationRoom(conversationId));
      return { stored: this.roomMemory.leave(socketId, ROOM_KIND, conversationId) };
    });
    await stored;
    return { conversationId, success: true };
  }
}
