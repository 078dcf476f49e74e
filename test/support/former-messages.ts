import { mongo } from 'mongoose';

/** Seconds after the former backend's first message. */
export const at = (second: number) => new Date(Date.UTC(2024, 0, 1, 0, 0, second));

interface From {
  id: string;
  type: string;
}

/** As the former backend stored it. */
export const formerMessage = (
  conversationId: string,
  from: From,
  to: From,
  second: number,
  more: object = {},
) => ({
  _id: new mongo.ObjectId(),
  conversationId,
  senderId: from.id,
  senderType: from.type,
  recipientId: to.id,
  recipientType: to.type,
  content: `at ${second}`,
  messageType: 'text',
  timestamp: at(second),
  status: 'sent',
  ...more,
});
