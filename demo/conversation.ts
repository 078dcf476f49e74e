import { randomUUID } from 'node:crypto';
import type { Person } from './person.js';
import { type Payload, title } from './print.js';

/** What makes a conversation of messages: typing, receipts, reactions, edits, a deletion, lists, presence, and catching up. */
export async function demoConversation(asha: Person, ravi: Person, conversationId: string): Promise<void> {
  await typeAndRead(asha, ravi, conversationId);
  await change(asha, ravi);
  await catchUp(asha, ravi, conversationId);
}

async function typeAndRead(asha: Person, ravi: Person, conversationId: string): Promise<void> {
  title('Typing, and receipts');
  const isHere = (payload: Payload): boolean => payload.conversationId === conversationId;
  const opened = await asha.say('dm:open', ravi.asRecipient());
  if (!isHere(opened)) throw new Error('Asha opened another conversation.');
  await asha.say('dm:join_conversation', { conversationId });
  await ravi.say('dm:typing_start', { conversationId });
  await asha.expect(['dm:user_typing'], isHere);
  await ravi.say('dm:typing_stop', { conversationId });
  await asha.expect(['dm:user_stopped_typing'], isHere);
  const { lastSeq, unreadCount } = await conversationOf(ravi, conversationId);
  if (lastSeq !== 3 || unreadCount !== 2)
    throw new Error(`Ravi has ${String(unreadCount)} unread of ${String(lastSeq)}.`);
  await ravi.say('dm:mark_delivered', { conversationId, upToSeq: lastSeq });
  await asha.expect(['dm:messages_delivered'], isHere);
  await ravi.say('dm:mark_read', { conversationId, upToSeq: lastSeq });
  await asha.expect(['dm:messages_read'], isHere);
}

async function change(asha: Person, ravi: Person): Promise<void> {
  title('A reaction, an edit, a deletion');
  const message = await asha.say('dm:send_message', { ...ravi.asRecipient(), content: 'See you at seven.' });
  const isIt = ({ id, messageId }: Payload): boolean => (messageId ?? id) === message.id;
  await ravi.say('dm:react', { messageId: message.id, emoji: '🙏' });
  await asha.expect(['dm:reaction_updated'], isIt);
  await asha.say('dm:edit_message', { messageId: message.id, content: 'See you at six.' });
  await ravi.expect(['dm:message_updated'], isIt);
  await asha.say('dm:delete_message', { messageId: message.id });
  await ravi.expect(['dm:message_deleted'], isIt);
}

async function catchUp(asha: Person, ravi: Person, conversationId: string): Promise<void> {
  title('Away and back');
  const { lastSeq } = await conversationOf(ravi, conversationId);
  await ravi.disconnect();
  const missed = ['Are you there?', 'I will call you later.'];
  for (const content of missed) {
    await asha.say('dm:send_message', { ...ravi.asRecipient(), content, clientMessageId: randomUUID() });
  }
  await ravi.reconnect();
  const { messages } = await ravi.say('dm:history', { conversationId, afterSeq: lastSeq });
  const contents = (messages as { content: string }[]).map(({ content }) => content);
  if (JSON.stringify(contents) !== JSON.stringify(missed)) throw new Error('Ravi missed something.');
  const { users } = await asha.say('presence:get', { users: [{ id: ravi.id, type: ravi.type }] });
  if ((users as { isOnline: boolean }[])[0]?.isOnline !== true)
    throw new Error('Ravi is not seen to be back.');
}

async function conversationOf(person: Person, conversationId: string): Promise<Payload> {
  const { conversations } = await person.say('dm:conversations', { limit: 20 });
  const found = (conversations as Payload[]).find((entry) => entry.conversationId === conversationId);
  if (found === undefined) throw new Error(`${person.name} does not see the conversation.`);
  return found;
}
