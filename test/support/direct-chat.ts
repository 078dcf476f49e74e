import type { DirectHistoryPayload, DirectMessagePayload } from '../../src/contract/direct-message.js';
import type { ErrorBody } from '../../src/contract/errors.js';
import type { TestClient } from './client.js';
import type { Person } from './token.js';

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
