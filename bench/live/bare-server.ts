// What is compared with: a bare Socket.IO broadcast, which checks, counts and stores nothing. `node bare-server.js`
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';

type Answer = (answer: object) => void;

const STREAM_ID = randomBytes(12).toString('hex');
const ROOM = `live:${STREAM_ID}`;
const MAX_COMMENTS = 50;
const comments: object[] = [];

const http = createServer();
const io = new Server(http, { serveClient: false });

/** So that both servers send the same number of bytes. */
const SNAPSHOT = {
  streamId: STREAM_ID,
  channelName: `live_${randomBytes(16).toString('hex')}`,
  agoraToken: randomBytes(104).toString('base64'),
  agoraAppId: '0'.repeat(32),
  uid: 0,
  isBroadcaster: false,
  expiresAt: Date.now(),
  stream: {
    streamId: STREAM_ID,
    _id: STREAM_ID,
    astrologerId: 'host',
    astrologerName: 'Tara',
    astrologerProfilePicture: '',
    title: '',
    description: '',
    category: '',
    tags: [],
    isLive: true,
    startedAt: Date.now(),
    viewerCount: 0,
    peakViewerCount: 0,
    totalViews: 0,
    likeCount: 0,
    giftCount: 0,
    giftValue: 0,
  },
  viewerCount: 0,
  likeCount: 0,
  liked: false,
  muted: false,
  pinned: null,
};

io.on('connection', (socket) => {
  const { id, type, name } = socket.handshake.auth as Record<string, string>;
  socket.on('live:start', (_: object, ack: Answer) => {
    void socket.join(ROOM);
    ack({ ok: true, data: { streamId: STREAM_ID } });
  });
  socket.on('live:join', (_: object, ack: Answer) => {
    void socket.join(ROOM);
    socket.emit('live:like_count', { streamId: STREAM_ID, count: 0, timestamp: Date.now() });
    ack({ ok: true, data: { ...SNAPSHOT, comments } });
  });
  socket.on('live:comment', ({ message }: { message: string }, ack: Answer) => {
    const commentId = randomBytes(12).toString('hex');
    const comment = {
      id: commentId,
      _id: commentId,
      streamId: STREAM_ID,
      userId: id,
      userType: type,
      userName: name,
      userAvatar: '',
      message,
      timestamp: Date.now(),
      isGift: false,
    };
    if (comments.push(comment) > MAX_COMMENTS) comments.shift();
    io.to(ROOM).emit('live:comment', comment);
    ack({ ok: true, data: comment });
  });
  const greeted = { id, name, avatar: '', role: type, userType: type, isAnonymous: false };
  socket.emit('connected', { socketId: socket.id, user: greeted, timestamp: Date.now() });
});

http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listens on http://127.0.0.1:${(http.address() as AddressInfo).port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
