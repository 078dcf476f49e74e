import type { DirectHistoryPayload, DirectMessagePayload } from '../../src/contract/direct-message.js';
import type { ErrorBody } from '../../src/contract/errors.js';
import { connectAll, type TestClient } from './client.js';
import type { Pair } from './pair.js';
import { admin, type Person } from './token.js';

/** An id that a message could have, and none has. */
export const MISSING_ID = 'f'.repeat(24);

export function sendTo(
  sender: TestClient,
  { id, type }: Person,
  fields: object = { content: 'hello' },
): Promise<DirectMessagePayload> {
  return sender.ask('dm:send_message', { recipientId: id, recipientType: type, ...fields });
}

/** Whatever was on its way to the receivers has arrived: they have what was sent after it. */
export async function barrier(
  sender: TestClient,
  recipient: Person,
  ...receivers: TestClient[]
): Promise<void> {
  const last = await sendTo(sender, recipient, { content: 'barrier' });
  for (const receiver of receivers) await receiver.waitFor('dm:message_received', ({ id }) => id === last.id);
}

/**
 * A message of the first party, on two devices of each and with an admin who reads along: all who are to hear what becomes of it.
 * One device of each, and the admin, have the conversation open.
 */
export async function openToEverybody(
  url: string,
  { asha, ravi, conversationId }: Omit<Pair, 'mallory'>,
  fields?: object,
) {
  const everybody = await connectAll(url, asha, asha, ravi, ravi, admin('root'));
  const [a1, , r1, r2, staff] = everybody;
  const sent = await sendTo(a1, ravi, fields);
  for (const client of [a1, r1, staff]) await client.ask('dm:join_conversation', { conversationId });
  return { a1, r1, r2, staff, everybody, sent };
}

/** The refusal of an event; fails unless it is the same with and without an acknowledgement callback. */
export async function refusal(client: TestClient, event: string, payload: object): Promise<ErrorBody> {
  const ack = await client.send(event, payload);
  if (ack.ok) throw new Error(`${event} was not refused`);
  const before = client.all('error').length;
  client.tell(event, payload);
  const { event: refused, ...error } = (await client.waitForCount('error', before + 1))[
    before
  ] as ErrorBody & {
    event: string;
  };
  expect([refused, error]).toEqual([event, ack.error]);
  return ack.error;
}

export async function historyOf(reader: TestClient, conversationId: string): Promise<DirectMessagePayload[]> {
  const { messages } = await reader.ask<DirectHistoryPayload>('dm:history', { conversationId, limit: 100 });
  return messages;
}
