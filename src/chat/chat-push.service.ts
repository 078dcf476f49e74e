import { Injectable } from '@nestjs/common';
import type { ChatMessagePayload } from '../contract/chat.js';
import type { Party } from '../contract/identity.js';
import { PresenceService } from '../presence/presence.service.js';
import { PushService } from '../push/push.service.js';
import { type KnownRoom, KnownRooms } from './known-rooms.js';

/**
 * Pushes of messages in chat rooms to those members who are absent and have not muted the room (contract §8). What is tried again later goes
 * only to who is such a member still.
 */
@Injectable()
export class ChatPushService {
  constructor(
    private readonly rooms: KnownRooms,
    private readonly presence: PresenceService,
    private readonly push: PushService,
  ) {
    push.beforeRetry((recipient, conversationId) => this.isStillFor(recipient, conversationId));
  }

  /** One Redis command for the members who are not on this node, none without Firebase. Never rejects: presence does not. */
  async toAbsent(room: KnownRoom, payload: ChatMessagePayload): Promise<void> {
    if (!this.push.isConfigured) return;
    const sender: Party = { id: payload.senderId, type: payload.senderType };
    const wanted = room.others(sender).filter((member) => isFor(room, member));
    const online = await this.presence.areOnline(wanted);
    this.push.messageToAll(
      wanted.filter((_, index) => online[index] !== true),
      { ...payload, messageId: payload.id, content: payload.message },
    );
  }

  /** Whatever is no chat room is not decided here. One round trip, shared. */
  private async isStillFor(recipient: Party, conversationId: string): Promise<boolean> {
    const room = await this.rooms.read(conversationId);
    return room === null || isFor(room, recipient);
  }
}

function isFor(room: KnownRoom, member: Party): boolean {
  const own = room.memberOf(member);
  return own !== undefined && own.isMuted !== true;
}
