import { Injectable } from '@nestjs/common';
import { type Identity, type Party, partyOf } from '../contract/identity.js';
import type { TypingPayload } from '../contract/typing.js';
import { BlockService } from '../messaging/block.service.js';
import { TypingTimes } from '../messaging/typing-times.js';
import { Typists } from '../messaging/typists.js';
import { Connections } from '../realtime/connections.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { conversationRoom, personalRoom } from '../realtime/rooms.js';
import { ConversationService, sidesOf } from './conversation.service.js';

const EVENTS = {
  start: ['dm:typing_start', 'dm:user_typing'],
  stop: ['dm:typing_stop', 'dm:user_stopped_typing'],
} as const;

/**
 * Who is typing in direct conversations: told to those who have the conversation open. Nothing is told for a pair that has not spoken yet,
 * and when the other one has blocked the typist. NOT_FOUND to outsiders, FORBIDDEN to an admin in a conversation of others.
 *
 * Database round trips: none for a conversation that this node knows, except that before the others are told, at most every 3 s, it may
 * have to ask whether the pair is blocked. Two broadcasts, for the two names of each event.
 */
@Injectable()
export class TypingService extends Typists {
  constructor(
    times: TypingTimes,
    emitter: EmitterService,
    access: ConversationService,
    blocks: BlockService,
    connections: Connections,
  ) {
    const findPeer = async (user: Identity, conversationId: string): Promise<Party | null> => {
      const conversation = await access.openForReading(user, conversationId);
      return conversation === null ? null : sidesOf(conversation).peer;
    };
    const mayTell = async (user: Identity, conversationId: string): Promise<boolean> => {
      const peer = await findPeer(user, conversationId);
      return peer !== null && !(await blocks.isBlocked(partyOf(user), peer));
    };
    const assertTakesPart = async (user: Identity, conversationId: string): Promise<void> => {
      await findPeer(user, conversationId);
    };
    const tell = (typist: Party, payload: TypingPayload, isTyping: boolean): void => {
      const room = conversationRoom(payload.conversationId);
      for (const event of EVENTS[isTyping ? 'start' : 'stop'])
        emitter.toRooms([room], event, payload, personalRoom(typist));
    };
    super(times, emitter, { mayTell, assertTakesPart, tell }, connections);
  }
}
