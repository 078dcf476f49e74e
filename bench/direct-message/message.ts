/** What a client sends with `dm:send_message`. */
export interface OutgoingMessage {
  conversationId: string;
  recipientId: string;
  recipientType: string;
  content: string;
  clientMessageId: string;
}

/** What of a message matters to the bench, in the ack and in `dm:message_received`. */
export interface IncomingMessage {
  conversationId: string;
  seq: number;
  senderId: string;
  clientMessageId: string;
}
