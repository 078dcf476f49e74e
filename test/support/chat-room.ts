import type { ChatHistoryPayload, ChatMessagePayload, ChatRoomPayload } from '../../src/contract/chat.js';
import type { TestClient } from './client.js';
import { astrologer, type Person, user } from './token.js';

export interface RoomPeople {
  /** An astrologer, who opens rooms. */
  ravi: Person;
  asha: Person;
  bela: Person;
  /** A user who has nothing to do with them. */
  mallory: Person;
}

/** An id that a room could have, and none has. */
export const MISSING_ROOM = `chat_${'f'.repeat(24)}`;

let groups = 0;

/** Fresh people: what one test does to them no other test of the file sees. */
export function newGroup(): RoomPeople {
  groups += 1;
  const named = (id: string): Person => user(`${id}${groups}`);
  return {
    ravi: astrologer(`ravi${groups}`),
    asha: named('asha'),
    bela: named('bela'),
    mallory: named('mallory'),
  };
}

export const asParties = (people: Person[]) => people.map(({ id, type }) => ({ id, type }));

export const asMember = ({ id, type }: Person) => ({ userId: id, userType: type });

/** A room of the owner's, with these others in it. */
export async function openRoom(owner: TestClient, others: Person[], title?: string): Promise<string> {
  const room = await owner.ask<ChatRoomPayload>('chat:create', { members: asParties(others), title });
  return room.conversationId;
}

export function say(
  sender: TestClient,
  conversationId: string,
  message = 'hello',
  fields: object = {},
): Promise<ChatMessagePayload> {
  return sender.ask('chat:message', { conversationId, message, ...fields });
}

/** Whatever was on its way to the receivers has arrived: they have what was sent after it. */
export async function roomBarrier(
  sender: TestClient,
  conversationId: string,
  ...receivers: TestClient[]
): Promise<void> {
  const last = await say(sender, conversationId, 'barrier');
  for (const receiver of receivers) await receiver.waitFor('chat:message', ({ id }) => id === last.id);
}

/** What people have said that the client was sent, without what the server itself says. */
export const saidTo = (client: TestClient): string[] =>
  client
    .all('chat:message')
    .filter(({ messageType }) => messageType !== 'system')
    .map(({ message }) => message);

export async function roomHistory(
  reader: TestClient,
  conversationId: string,
  window: object = { limit: 100 },
): Promise<ChatMessagePayload[]> {
  const history = await reader.ask<ChatHistoryPayload>('chat:history', { conversationId, ...window });
  return history.messages;
}
