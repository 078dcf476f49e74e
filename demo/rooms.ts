import { play } from './cast.js';
import type { Person } from './person.js';
import { type Payload, title } from './print.js';
import type { DemoServer } from './server.js';

/** An astrologer and two users share a room; fails unless each member gets every message, once, and who is put out gets no more. */
export async function demoRooms(server: DemoServer): Promise<void> {
  await play(server, async (join) => {
    const ravi = await join('astrologer', 'Ravi');
    const asha = await join('user', 'Asha');
    const bela = await join('user', 'Bela');
    const conversationId = await talk(ravi, asha, bela);
    await part(ravi, asha, bela, conversationId);
  });
}

async function talk(ravi: Person, asha: Person, bela: Person): Promise<unknown> {
  title('A room of three');
  const { conversationId } = await ravi.say('chat:create', {
    members: [asha, bela].map(asParty),
    title: 'Tuesdays',
  });
  await asha.say('chat:join', { conversationId });
  await ravi.say('chat:typing', { conversationId });
  await asha.expect(['chat:typing'], isIn(conversationId));
  for (const [person, message] of [
    [ravi, 'Shall we begin?'],
    [bela, 'I am here.'],
  ] as const) {
    const { id } = await person.say('chat:message', { conversationId, message });
    for (const member of [ravi, asha, bela]) await expectOnce(member, id);
  }
  await asha.say('chat:read', { conversationId, upToSeq: 3 });
  await ravi.expect(['chat:read'], isIn(conversationId));
  return conversationId;
}

async function part(ravi: Person, asha: Person, bela: Person, conversationId: unknown): Promise<void> {
  title('Who is put out hears nothing more');
  const { recipientId: userId, recipientType: userType } = bela.asRecipient();
  await ravi.say('chat:remove_member', { conversationId, userId, userType });
  await bela.expect(['chat:removed'], isIn(conversationId));
  const { id } = await ravi.say('chat:message', { conversationId, message: 'Only the two of us now.' });
  await expectOnce(asha, id);
  await bela.isRefused('chat:history', { conversationId }, 'NOT_FOUND');
  if (bela.count(['chat:message'], (payload) => payload.id === id) !== 0)
    throw new Error('Bela got a message of a room that she is not in.');
  const { rooms } = await asha.say('chat:rooms', {});
  if ((rooms as Payload[])[0]?.memberCount !== 2) throw new Error('Asha sees another room.');
}

async function expectOnce(person: Person, id: unknown): Promise<void> {
  const isIt = (payload: Payload): boolean => payload.id === id;
  await person.expect(['chat:message'], isIt);
  if (person.count(['chat:message'], isIt) !== 1) throw new Error(`${person.name} got a message twice.`);
}

function asParty(person: Person): { id: unknown; type: unknown } {
  const { recipientId: id, recipientType: type } = person.asRecipient();
  return { id, type };
}

function isIn(conversationId: unknown): (payload: Payload) => boolean {
  return (payload) => payload.conversationId === conversationId;
}
