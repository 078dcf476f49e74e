import { Injectable } from '@nestjs/common';
import type { ChatOpenedPayload } from '../contract/chat.js';
import { type Identity, partyKey } from '../contract/identity.js';
import { KeyedQueue } from '../messaging/keyed-queue.js';
import { RoomMemory } from '../open-rooms/room-memory.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { openChatRoom, type Room } from '../realtime/rooms.js';
import { ChatAccessService } from './chat-access.service.js';
import { KnownRooms } from './known-rooms.js';

/** Under which open chat rooms are remembered; stored. */
const ROOM_KIND = 'chat';

/**
 * Which sockets have a chat room open (contract §6): nothing but typing depends on it.
 *
 * Database round trips. Joining: 2, is the caller a member, and one shared by those of a socket that come together. Leaving: 1, or 0 for a room
 * that one does not have open.
 */
@Injectable()
export class OpenChatService {
  /** By socket: a leave must not pass the join before it. */
  private readonly inArrivalOrder = new KeyedQueue();

  constructor(
    private readonly emitter: EmitterService,
    private readonly access: ChatAccessService,
    private readonly roomMemory: RoomMemory,
    rooms: KnownRooms,
  ) {
    roomMemory.register(ROOM_KIND, {
      roomOf: socketRoom,
      canReturn: async (user, id) => {
        const room = await rooms.read(id.slice(0, id.lastIndexOf(' ')));
        return room?.memberOf(user) !== undefined;
      },
    });
  }

  /** @throws AppError NOT_FOUND to who is no member; UNAVAILABLE */
  async join(user: Identity, socketId: string, conversationId: string): Promise<ChatOpenedPayload> {
    const id = rememberedAs(user, conversationId);
    const { stored } = await this.inArrivalOrder.run(socketId, async () => {
      await this.access.open(user, conversationId);
      await this.emitter.joinRoom(socketId, socketRoom(id));
      return { stored: this.roomMemory.enter(socketId, ROOM_KIND, id) };
    });
    // Outside of the queue: the joins of a socket share their writes.
    await stored;
    return { conversationId, success: true };
  }

  /** Closes it on this socket; one stays a member. The same for every id. @throws AppError UNAVAILABLE */
  async leave(user: Identity, socketId: string, conversationId: string): Promise<ChatOpenedPayload> {
    const id = rememberedAs(user, conversationId);
    const { stored } = await this.inArrivalOrder.run(socketId, async () => {
      await this.emitter.leaveRoom(socketId, socketRoom(id));
      return { stored: this.roomMemory.leave(socketId, ROOM_KIND, id) };
    });
    await stored;
    return { conversationId, success: true };
  }
}

/** Rooms' own ids have no spaces; the ids of others are of no room. */
function rememberedAs(user: Identity, conversationId: string): string {
  return `${conversationId} ${partyKey(user)}`;
}

function socketRoom(id: string): Room {
  const space = id.lastIndexOf(' ');
  return openChatRoom(id.slice(0, space), id.slice(space + 1));
}
