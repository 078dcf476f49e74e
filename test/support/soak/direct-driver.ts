import type {
  DirectConversationPayload,
  DirectConversationsPayload,
  DirectHistoryPayload,
  DirectMessagePayload,
} from '../../../src/contract/direct-message.js';
import { admin, astrologer, user } from '../token.js';
import type { SoakDriver, SoakEntry } from './driver.js';
import { peerIn, type Talk } from './people.js';

const CONVERSATIONS_OF_USERS = 18;
const ASTROLOGERS = 9;

/** 20 conversations: of users with astrologers who have several each, and of the admin with one of either. */
function makeTalks(): Talk[] {
  const talks = Array.from({ length: CONVERSATIONS_OF_USERS }, (_, i): Talk => {
    const [one, other] = [user(`u${i}`), astrologer(`a${i % ASTROLOGERS}`)];
    return { conversationId: `user_${one.id}_${other.id}`, sides: [one, other] };
  });
  return [
    ...talks,
    { conversationId: 'admin_a0', sides: [admin(), astrologer('a0')] },
    { conversationId: 'admin_user_u0', sides: [admin(), user('u0')] },
  ];
}

function toEntry({ marks, peerMarks, ...entry }: DirectConversationPayload): SoakEntry {
  return {
    ...entry,
    readSeq: marks.readSeq,
    others: {
      deliveredSeq: marks.deliveredSeq,
      'readSeq of the peer': peerMarks.readSeq,
      'deliveredSeq of the peer': peerMarks.deliveredSeq,
    },
  };
}

/** Direct messages. */
export const directDriver: SoakDriver = {
  makeTalks: async () => makeTalks(),
  events: {
    received: 'dm:message_received',
    read: 'dm:messages_read',
    join: 'dm:join_conversation',
    markRead: 'dm:mark_read',
  },
  markDelivered: 'dm:mark_delivered',
  sending: (talk, sender, message) => {
    const { id: recipientId, type: recipientType } = peerIn(talk, sender);
    return { event: 'dm:send_message', payload: { recipientId, recipientType, ...message } };
  },
  messageOf: (payload) => payload as DirectMessagePayload,
  readList: async (ask, window) => {
    const page = await ask<DirectConversationsPayload>('dm:conversations', window);
    return { entries: page.conversations.map(toEntry), nextCursor: page.nextCursor };
  },
  readHistory: (ask, window) => ask<DirectHistoryPayload>('dm:history', window),
  otherFigures: (talk, person, markOf) => {
    const peers = markOf(peerIn(talk, person));
    return {
      deliveredSeq: markOf(person).deliveredSeq,
      'readSeq of the peer': peers.readSeq,
      'deliveredSeq of the peer': peers.deliveredSeq,
    };
  },
  collections: { messages: 'directmessages', conversations: 'directconversations', marks: 'directmarks' },
};
