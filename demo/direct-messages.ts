import { randomUUID } from 'node:crypto';
import { Person } from './person.js';
import type { DemoServer } from './server.js';

interface Line {
  from: Person;
  to: Person;
  content: string;
}

/** A user, an astrologer and an admin talk in pairs; fails unless everyone gets every line that is theirs, once, in order. */
export async function demoDirectMessages(server: DemoServer): Promise<void> {
  const run = randomUUID().slice(0, 8);
  const asha = await Person.connect(server, 'user', `asha-${run}`, 'Asha');
  const ravi = await Person.connect(server, 'astrologer', `ravi-${run}`, 'Ravi');
  const admin = await Person.connect(server, 'admin', 'admin', 'Admin');
  const people = [asha, ravi, admin];

  const conversationId = `user_${asha.id}_${ravi.id}`;
  await ravi.say('dm:join_conversation', { conversationId });
  await ravi.expect('dm:joined', (payload) => payload.conversationId === conversationId);

  const lines: Line[] = [
    { from: asha, to: ravi, content: 'Namaste, do you have time today?' },
    { from: ravi, to: asha, content: 'Yes, at six.' },
    { from: asha, to: ravi, content: 'Thank you!' },
    { from: admin, to: ravi, content: 'Your profile is approved.' },
    { from: ravi, to: admin, content: 'Good to hear.' },
    { from: admin, to: asha, content: 'Welcome to the app.' },
  ];
  for (const { from, to, content } of lines) {
    const sent = await from.say('dm:send_message', {
      recipientId: to.id,
      recipientType: to.type,
      content,
      clientMessageId: randomUUID(),
    });
    await Promise.all(
      [from, to].map((person) => person.expect('dm:message_received', (got) => got.id === sent.id)),
    );
  }

  const history = await asha.say('dm:history', { conversationId });
  const contents = (history.messages as { content: string }[]).map(({ content }) => content);
  const spoken = lines.filter(({ from, to }) => from !== admin && to !== admin).map(({ content }) => content);
  if (JSON.stringify(contents) !== JSON.stringify(spoken))
    throw new Error('The history is not what was said.');

  for (const person of people) {
    for (const { from, to, content } of lines) {
      const got = person.count(
        'dm:message_received',
        (payload) => payload.content === content && isOf(run, payload),
      );
      const wanted = person === from || person === to ? 1 : 0;
      if (got !== wanted)
        throw new Error(`${person.name} got "${content}" ${got} times instead of ${wanted}.`);
    }
    person.leave();
  }
}

/** On a server in use, the admin's inbox gets other messages too. */
function isOf(run: string, payload: Record<string, unknown>): boolean {
  return String(payload.conversationId).includes(run);
}
