import { Injectable } from '@nestjs/common';
import { type Identity, type Party, partyKey } from '../contract/identity.js';
import type { TypingPayload } from '../contract/typing.js';
import { TypingTimes } from '../messaging/typing-times.js';
import { Typists } from '../messaging/typists.js';
import { Connections } from '../realtime/connections.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { openChatRoom } from '../realtime/rooms.js';
import { ChatAccessService } from './chat-access.service.js';
import { MemberBroadcasts } from './member-broadcasts.js';

/**
 * Who is typing in chat rooms: told to those members' sockets that have the room open. Nothing is told in a room of two whose other member has
 * blocked the typist. NOT_FOUND to who is no member.
 *
 * Database round trips: two small reads when the others are told, at most every 3 s, whatever the number of members; one for a stop. One
 * broadcast and one encoding.
 */
@Injectable()
export class ChatTypingService extends Typists {
  constructor(
    times: TypingTimes,
    emitter: EmitterService,
    access: ChatAccessService,
    broadcasts: MemberBroadcasts,
    connections: Connections,
  ) {
    const mayTell = async (user: Identity, conversationId: string): Promise<boolean> =>
      !(await access.isSilenced(await access.open(user, conversationId)));
    const assertTakesPart = async (user: Identity, conversationId: string): Promise<void> => {
      await access.open(user, conversationId);
    };
    const tell = (typist: Party, payload: TypingPayload, isTyping: boolean): void => {
      const { conversationId } = payload;
      void broadcasts.tell(conversationId, (room) => {
        if (isTyping && room.memberOf(typist) === undefined) return;
        const rooms = room.others(typist).map((member) => openChatRoom(conversationId, partyKey(member)));
        if (rooms.length > 0) emitter.toRooms(rooms, isTyping ? 'chat:typing' : 'chat:stop_typing', payload);
      });
    };
    super(times, emitter, { mayTell, assertTakesPart, tell }, connections);
  }
}
