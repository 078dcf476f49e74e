import { io } from 'socket.io-client';
import type { Ack } from '../../../src/contract/ack.js';
import type {
  ChatHistoryPayload,
  ChatMessagePayload,
  ChatRoomPayload,
  ChatRoomsPayload,
} from '../../../src/contract/chat.js';
import { admin, astrologer, type Person, tokenFor, user } from '../token.js';
import type { SoakDriver, SoakMessage } from './driver.js';
import type { Talk } from './people.js';

const ROOMS = 12;
const USERS = 10;
const ASTROLOGERS = 5;
/** Members of a room besides its owner; the rooms have as many in turns. */
const SIZES = [1, 2, 4, 8];
const PATIENCE_MS = 10_000;

/** 12 rooms of 2 to 9 members, who are in several each, and the admin in two of them. */
function plannedRooms(): { owner: Person; others: Person[] }[] {
  return Array.from({ length: ROOMS }, (_, room) => {
    const size = SIZES[room % SIZES.length] ?? 1;
    const others = Array.from({ length: size }, (__, i) => user(`u${(3 * room + i) % USERS}`));
    return { owner: astrologer(`a${room % ASTROLOGERS}`), others: room < 2 ? [...others, admin()] : others };
  });
}

async function open(address: string, owner: Person, others: Person[]): Promise<Talk> {
  const auth = { token: await tokenFor(owner) };
  const socket = io(address, { auth, transports: ['websocket'], forceNew: true });
  try {
    const members = others.map(({ id, type }) => ({ id, type }));
    const ack = (await socket
      .timeout(PATIENCE_MS)
      .emitWithAck('chat:create', { members })) as Ack<ChatRoomPayload>;
    if (!ack.ok) throw new Error(`a room was refused: ${JSON.stringify(ack.error)}`);
    return { conversationId: ack.data.conversationId, sides: [owner, ...others] };
  } finally {
    socket.disconnect();
  }
}

const toMessage = ({ message, ...payload }: ChatMessagePayload): SoakMessage => ({
  ...payload,
  content: message,
});

/** Chat rooms. */
export const chatDriver: SoakDriver = {
  makeTalks: async (address) => {
    const talks: Talk[] = [];
    for (const { owner, others } of plannedRooms()) talks.push(await open(address, owner, others));
    return talks;
  },
  events: { received: 'chat:message', read: 'chat:read', join: 'chat:join', markRead: 'chat:read' },
  sending: ({ conversationId }, _, { content, clientMessageId }) => ({
    event: 'chat:message',
    payload: { conversationId, message: content, clientMessageId },
  }),
  messageOf: (payload) => toMessage(payload as ChatMessagePayload),
  readList: async (ask, window) => {
    const page = await ask<ChatRoomsPayload>('chat:rooms', window);
    return { entries: page.rooms.map((room) => ({ ...room, others: {} })), nextCursor: page.nextCursor };
  },
  readHistory: async (ask, window) => {
    const { messages, hasMore } = await ask<ChatHistoryPayload>('chat:history', window);
    return { messages: messages.map(toMessage), hasMore };
  },
  otherFigures: () => ({}),
  collections: { messages: 'chatmessages', conversations: 'chatrooms', marks: 'chatmarks' },
};
