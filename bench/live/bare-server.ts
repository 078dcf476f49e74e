// What is compared with: a bare Socket.IO broadcast. It does what none can do without: a token's signature says who comes, by Node's own HMAC,
// each has a room of their own and is greeted, a join is answered with as much as Samvad's. It checks, counts and stores nothing else.
// `node bare-server.js`
import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { BENCH_SECRET } from '../support/tokens.js';

type Answer = (answer: object) => void;
type Claims = Record<'sub' | 'userType' | 'name', string> & { exp: number };

const KEY = createSecretKey(BENCH_SECRET, 'utf8');

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

io.use((socket: Socket, next) => {
  const { token } = socket.handshake.auth as { token: string };
  const claims = verified(token);
  if (claims === undefined) return next(new Error('The token is not valid.'));
  socket.data = { id: claims.sub, type: claims.userType, name: claims.name };
  next();
});

io.on('connection', (socket) => {
  const { id, type, name } = socket.data as Record<'id' | 'type' | 'name', string>;
  void socket.join(`${type}:${id}`);
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

function verified(token: string): Claims | undefined {
  const [header, payload = '', signature = ''] = token.split('.');
  const expected = createHmac('sha256', KEY).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims;
  return claims.exp * 1000 > Date.now() ? claims : undefined;
}

http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listens on http://127.0.0.1:${(http.address() as AddressInfo).port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
