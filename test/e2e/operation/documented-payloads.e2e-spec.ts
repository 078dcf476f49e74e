import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerEvents } from '../../../src/contract/server-events.js';
import { startApp } from '../../support/app.js';
import { connectAs } from '../../support/client.js';
import { sendTo } from '../../support/direct-chat.js';
import { withPresenceTimes } from '../../support/presence.js';
import { admin, astrologer, user } from '../../support/token.js';

const document = readFileSync(join(import.meta.dirname, '../../../docs/events.md'), 'utf8');
const [, chapter = ''] = document.split(/^## What the server sends$/m);

/** The example of an event that the server sends. */
function exampleOf(event: string): unknown {
  const section = chapter.split(/^### /m).find((text) => text.startsWith(`\`${event}\``)) ?? '';
  const [, example] = /^```json\n([^]*?)^```$/m.exec(section) ?? [];
  if (example === undefined) throw new Error(`${event} has no example`);
  return JSON.parse(example);
}

/** The keys and the kinds of values at every depth; of a list, those of its first entry. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? 'list' : [shapeOf(value[0])];
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}

it('what the server sends has the fields of the documented examples, no more and no fewer', async () => {
  const { url } = await startApp({}, [], [withPresenceTimes({ offlineDelayMs: 50 })]);
  const boss = await connectAs(url, admin());
  const [a, r] = [await connectAs(url, user('asha')), await connectAs(url, astrologer('ravi'))];
  const { id: messageId, conversationId } = await sendTo(a, astrologer('ravi'), {
    content: 'Namaste',
    clientMessageId: 'c1',
  });
  for (const client of [a, r]) await client.ask('dm:join_conversation', { conversationId });
  await a.ask('dm:typing_start', { conversationId });
  await r.ask('dm:mark_delivered', { conversationId, upToSeq: 1 });
  await r.ask('dm:mark_read', { conversationId, upToSeq: 1 });
  await r.ask('dm:report', { messageId, reason: 'spam' });
  await r.ask('dm:react', { messageId, emoji: '🙏' });
  await a.ask('dm:delete_message', { messageId });
  await boss.ask('get_stats', {});

  const got: Partial<ServerEvents> = {
    connected: await a.waitFor('connected'),
    'dm:message_received': await r.waitFor('dm:message_received'),
    'dm:typing_start': await r.waitFor('dm:typing_start'),
    'dm:messages_delivered': await a.waitFor('dm:messages_delivered'),
    'dm:messages_read': await a.waitFor('dm:messages_read'),
    'dm:report_created': await boss.waitFor('dm:report_created'),
    'dm:reaction_updated': await a.waitFor('dm:reaction_updated'),
    'dm:message_deleted': await r.waitFor('dm:message_deleted'),
    'astrologer:status_changed': await boss.waitFor('astrologer:status_changed'),
    stats: await boss.waitFor('stats'),
  };
  for (const [event, payload] of Object.entries(got)) {
    const [real, documented] = [payload, exampleOf(event)].map(shapeOf) as [object, object];
    // A report's message has a clientMessageId or none; the rest is as it is in the example.
    const known = event === 'dm:report_created' ? keysOf : (shape: object): object => shape;
    expect([event, known(real)]).toEqual([event, known(documented)]);
  }

  // “With the same fields” as a message.
  const second = await sendTo(a, astrologer('ravi'));
  await a.ask('dm:edit_message', { messageId: second.id, content: 'edited' });
  const updated = await r.waitFor('dm:message_updated');
  expect(Object.keys(updated).toSorted()).toEqual(
    Object.keys(exampleOf('dm:message_received') as object).toSorted(),
  );
});

/** Without the kinds of values. */
function keysOf(shape: object): object {
  return Object.fromEntries(
    Object.entries(shape).map(([key, inner]) => [
      key,
      typeof inner === 'object' && inner !== null ? keysOf(inner as object) : '',
    ]),
  );
}
