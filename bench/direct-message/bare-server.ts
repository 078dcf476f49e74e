// What is compared with: Socket.IO and the MongoDB driver, and nothing that checks anything. `node bare-server.js <uri> <database>`
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mongo } from 'mongoose';
import { Server } from 'socket.io';
import type { OutgoingMessage } from './message.js';

interface Counter {
  _id: string;
  seq: number;
}

const [uri = '', database = ''] = process.argv.slice(2);
const db = (await new mongo.MongoClient(uri).connect()).db(database);
const counters = db.collection<Counter>('counters');
const messages = db.collection('messages');
await messages.createIndex({ conversationId: 1, seq: 1 });

const http = createServer();
const io = new Server(http, { serveClient: false });

io.on('connection', (socket) => {
  const { id, type, name } = socket.handshake.auth as Record<string, string>;
  void socket.join(`${type}:${id}`);
  socket.on('dm:send_message', async (sent: OutgoingMessage, ack: (answer: object) => void) => {
    const { conversationId, recipientId, recipientType, content, clientMessageId } = sent;
    const counter = await counters.findOneAndUpdate(
      { _id: conversationId },
      { $inc: { seq: 1 } },
      { upsert: true, returnDocument: 'after' },
    );
    const message = {
      _id: new mongo.ObjectId(),
      conversationId,
      seq: counter?.seq ?? 0,
      senderId: id,
      senderType: type,
      senderName: name,
      senderAvatar: '',
      recipientId,
      recipientType,
      content,
      messageType: 'text',
      clientMessageId,
      timestamp: new Date(),
      status: 'sent',
    };
    await messages.insertOne(message);
    const hexId = message._id.toHexString();
    const timestamp = message.timestamp.toISOString();
    const payload = { ...message, ...NOTHING_ELSE, id: hexId, _id: hexId, timestamp };
    io.to(`${type}:${id}`).to(`${recipientType}:${recipientId}`).emit('dm:message_received', payload);
    ack({ ok: true, data: payload });
  });
});

/** So that both servers send the same number of bytes. */
const NOTHING_ELSE = {
  mediaUrl: null,
  mediaSize: null,
  mediaDuration: null,
  thumbnailUrl: null,
  replyToId: null,
  editedAt: null,
  deletedAt: null,
  reactions: [],
};

http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listens on http://127.0.0.1:${(http.address() as AddressInfo).port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
