import { randomUUID } from 'node:crypto';
import { play } from './cast.js';
import { demoConversation } from './conversation.js';
import { demoDevices } from './devices.js';
import { MESSAGE_EVENTS, type Person } from './person.js';
import { demoSafety } from './safety.js';
import type { DemoServer } from './server.js';

interface Line {
  from: Person;
  to: Person;
  content: string;
}

/** A user, an astrologer and an admin talk in pairs; fails unless everyone gets every line that is theirs, once, in order, and what follows it. */
export async function demoDirectMessages(server: DemoServer): Promise<void> {
  await play(server, async (join, run) => {
    const admin = await join('admin', 'Admin');
    const asha = await join('user', 'Asha');
    const ravi = await join('astrologer', 'Ravi');
    await admin.expect(
      ['astrologer:status_changed'],
      ({ astrologerId, isOnline }) => astrologerId === ravi.id && isOnline === true,
    );
    await talk(asha, ravi, admin, run);
    await demoConversation(asha, ravi, conversationIdOf(asha, ravi));
    await demoSafety(asha, ravi, admin);
    await demoDevices(ravi, server.isOwn);
  });
}

async function talk(asha: Person, ravi: Person, admin: Person, run: string): Promise<void> {
  const conversationId = conversationIdOf(asha, ravi);
  await ravi.say('dm:join_conversation', { conversationId });
  await ravi.expect(['dm:joined'], (payload) => payload.conversationId === conversationId);

  const lines: Line[] = [
    { from: asha, to: ravi, content: 'Namaste, do you have time today?' },
    { from: ravi, to: asha, content: 'Yes, at six.' },
    { from: asha, to: ravi, content: 'Thank you!' },
    { from: admin, to: ravi, content: 'Your profile is approved.' },
    { from: ravi, to: admin, content: 'Good to hear.' },
    { from: admin, to: asha, content: 'Welcome to the app.' },
  ];
  for (const line of lines) await speak(line);

  const history = await asha.say('dm:history', { conversationId });
  const contents = (history.messages as { content: string }[]).map(({ content }) => content);
  const spoken = lines.filter(({ from, to }) => from !== admin && to !== admin).map(({ content }) => content);
  if (JSON.stringify(contents) !== JSON.stringify(spoken))
    throw new Error('The history is not what was said.');
  for (const person of [asha, ravi, admin]) assertHeard(person, lines, run);
}

function conversationIdOf(user: Person, astrologer: Person): string {
  return `user_${user.id}_${astrologer.id}`;
}

async function speak({ from, to, content }: Line): Promise<void> {
  const sent = await from.say('dm:send_message', {
    ...to.asRecipient(),
    content,
    clientMessageId: randomUUID(),
  });
  await Promise.all([from, to].map((person) => person.expectMessage(sent.id)));
}

/** Each line once for the two that it concerns, and not at all for the third. */
function assertHeard(person: Person, lines: Line[], run: string): void {
  for (const { from, to, content } of lines) {
    // On a server in use, the admin's inbox gets other messages too.
    const isIt = (payload: Record<string, unknown>): boolean =>
      payload.content === content && String(payload.conversationId).includes(run);
    const got = person.count(MESSAGE_EVENTS, isIt);
    const wanted = person === from || person === to ? 1 : 0;
    if (got !== wanted) throw new Error(`${person.name} got "${content}" ${got} times instead of ${wanted}.`);
  }
}
