import { mongo } from 'mongoose';
import type { DirectHistoryPayload } from '../../../src/contract/direct-message.js';
import { startApp, type TestApp } from '../../support/app.js';
import { closeAfterAll } from '../../support/cleanup.js';
import { connectAs } from '../../support/client.js';
import { FormerDatabase } from '../../support/former-database.js';
import { at, formerMessage as message } from '../../support/former-messages.js';
import { admin, astrologer, user } from '../../support/token.js';

let app: TestApp;
let former: FormerDatabase;

beforeAll(async () => {
  app = await startApp();
  former = await FormerDatabase.open(app.mongoUri, closeAfterAll);
});

describe('what was stored by the former backend', () => {
  it('reaches clients with every field as the contract has it', async () => {
    const [id, parent] = [new mongo.ObjectId(), new mongo.ObjectId()];
    const astrologerId = new mongo.ObjectId();
    const conversationId = `admin_${astrologerId.toHexString()}`;
    await former.messages.insertOne({
      _id: id,
      conversationId,
      senderId: astrologerId,
      senderType: 'Astrologer',
      recipientId: new mongo.ObjectId().toHexString(),
      recipientType: 'Admin',
      content: null,
      messageType: 'photo',
      mediaUrl: 'https://cdn.example/1.jpg',
      mediaSize: '1024',
      timestamp: '2024-01-01T00:00:01.000Z',
      replyToId: parent.toHexString(),
      readAt: at(30),
      __v: 0,
    });
    await former.migrate();
    const client = await connectAs(app.url, admin());
    const history = await client.ask<DirectHistoryPayload>('dm:history', { conversationId });
    expect(history.messages).toEqual([
      {
        id: id.toHexString(),
        _id: id.toHexString(),
        conversationId,
        seq: 1,
        senderId: astrologerId.toHexString(),
        senderType: 'astrologer',
        senderName: '',
        senderAvatar: '',
        recipientId: 'admin',
        recipientType: 'admin',
        content: '',
        messageType: 'image',
        mediaUrl: 'https://cdn.example/1.jpg',
        mediaSize: 1024,
        mediaDuration: null,
        thumbnailUrl: null,
        replyToId: parent.toHexString(),
        timestamp: '2024-01-01T00:00:01.000Z',
        status: 'read',
        clientMessageId: null,
        editedAt: null,
        deletedAt: null,
        reactions: [],
        revision: 0,
      },
    ]);
    const other = await connectAs(app.url, astrologer(astrologerId.toHexString()));
    expect((await other.ask<DirectHistoryPayload>('dm:history', { conversationId })).total).toBe(1);
    const outsider = await connectAs(app.url, user('outsider'));
    expect(await outsider.send('dm:history', { conversationId })).toMatchObject({ ok: false });
  });

  it('takes missing names and pictures from users and astrologers, as the handshake does', async () => {
    const [u, a] = [user(new mongo.ObjectId().toHexString()), astrologer('named')];
    const conversationId = `user_${u.id}_named`;
    await former.collection('users').insertOne({
      _id: new mongo.ObjectId(u.id),
      name: ' Asha ',
      avatar: 'https://c/a',
    });
    await former.collection('astrologers').insertOne({
      _id: 'named' as never,
      name: 'Ravi',
      profilePicture: 'https://c/r',
    });
    await former.messages.insertMany([
      message(conversationId, u, a, 1),
      message(conversationId, a, u, 2, { senderName: 'Guru Ravi' }),
      message('admin_user_unnamed', admin(), user('unnamed'), 3),
      message('admin_user_unnamed', user('unnamed'), admin(), 4),
    ]);
    expect((await former.migrate()).messages.faults).toMatchObject({ profile: 2 });
    const names = await former.messages
      .find({ conversationId: { $in: [conversationId, 'admin_user_unnamed'] } })
      .sort({ timestamp: 1 })
      .toArray();
    expect(names.map(({ senderName, senderAvatar }) => [senderName, senderAvatar])).toEqual([
      ['Asha', 'https://c/a'],
      ['Guru Ravi', 'https://c/r'],
      ['', ''],
      ['', ''],
    ]);
  });

  it('keeps both messages of which a clientMessageId was not unique', async () => {
    const [u, a] = [user('twice'), astrologer('said')];
    const conversationId = 'user_twice_said';
    await former.messages.insertMany([
      message(conversationId, u, a, 1, { clientMessageId: 'same' }),
      message(conversationId, { ...u, type: 'User' }, a, 2, { clientMessageId: 'same' }),
    ]);
    await former.migrate();
    const stored = await former.messages.find({ conversationId }).sort({ seq: 1 }).toArray();
    expect(stored.map(({ seq, clientMessageId }) => [seq, clientMessageId])).toEqual([
      [1, 'same'],
      [2, undefined],
    ]);
    expect(stored[1]).toMatchObject({ senderType: 'user', formerClientMessageId: 'same' });
  });

  it('keeps conversations of one pair apart and says so', async () => {
    const [u, a] = [user('double'), astrologer('double')];
    const other = new mongo.ObjectId().toHexString();
    await former.messages.insertMany([message('user_double_double', u, a, 1), message(other, u, a, 2)]);
    const { conversations } = await former.migrate();
    expect(conversations.faults).toMatchObject({ samePair: 1, otherId: 1, fromMessages: 2 });
    for (const conversationId of ['user_double_double', other])
      expect(await former.messages.countDocuments({ conversationId, seq: 1 })).toBe(1);
  });

  it('shows nothing of a message that was deleted', async () => {
    const [u, a] = [user('gone'), astrologer('gone')];
    await former.messages.insertOne(
      message('user_gone_gone', u, a, 1, { isDeleted: true, content: 'secret' }),
    );
    await former.migrate();
    const client = await connectAs(app.url, a);
    const { messages: shown } = await client.ask<DirectHistoryPayload>('dm:history', {
      conversationId: 'user_gone_gone',
    });
    expect(shown[0]).toMatchObject({ content: '', deletedAt: at(1).toISOString() });
  });

  it('gives a conversation its participants, also to a node that was asked for it before', async () => {
    const ids = [new mongo.ObjectId(), new mongo.ObjectId()] as const;
    const [u, a] = [user(ids[0].toHexString()), astrologer(ids[1].toHexString())];
    const conversationId = `user_${u.id}_${a.id}`;
    await former.conversations.insertOne({
      _id: conversationId as never,
      participants: [
        { _id: new mongo.ObjectId(), id: ids[0], type: 'User' },
        { _id: new mongo.ObjectId(), id: ids[1], type: 'Astrologer' },
      ],
      lastMessage: 'at 1',
      lastMessageAt: at(1),
      createdAt: at(0),
      updatedAt: at(1),
    });
    await former.messages.insertOne(message(conversationId, u, a, 1));
    const client = await connectAs(app.url, a);
    const ask = () => client.ask<DirectHistoryPayload>('dm:history', { conversationId });
    expect((await ask()).total).toBe(0);
    await former.migrate();
    expect((await ask()).total).toBe(1);
    expect(await former.conversations.findOne({ _id: conversationId as never })).toEqual({
      _id: conversationId,
      participants: [
        { id: u.id, type: 'user' },
        { id: a.id, type: 'astrologer' },
      ],
      members: [`user:${u.id}`, `astrologer:${a.id}`],
      createdAt: at(0),
      updatedAt: expect.any(Date),
      activeAt: at(1),
      lastSeq: 1,
      lastMessage: 'at 1',
      lastMessageAt: at(1),
      lastRevision: 0,
    });
  });
});
