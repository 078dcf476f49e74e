import { startApp } from '../../support/app.js';
import { connectAs } from '../../support/client.js';
import { barrier, sendTo } from '../../support/direct-chat.js';
import { admin, astrologer, user } from '../../support/token.js';

const conversationId = 'user_asha_ravi';
const joined = { conversationId, success: true };
let url: string;
let mongoUri: string;

beforeAll(async () => {
  ({ url, mongoUri } = await startApp());
  const writer = await connectAs(url, user('asha'));
  await sendTo(writer, astrologer('ravi'));
});

describe('dm:join_conversation', () => {
  it('answers participants and admins with dm:joined and an ack', async () => {
    for (const person of [user('asha'), astrologer('ravi'), admin('root')]) {
      const client = await connectAs(url, person);
      expect(
        await client.ask('dm:join_conversation', { conversationId, userId: 'other', userType: 'admin' }),
      ).toEqual(joined);
      expect(await client.waitFor('dm:joined')).toEqual(joined);
    }
  });

  it('may be repeated', async () => {
    const client = await connectAs(url, user('asha'));
    for (let i = 0; i < 3; i += 1)
      expect(await client.ask('dm:join_conversation', { conversationId })).toEqual(joined);
    const { id } = await sendTo(client, astrologer('ravi'), { content: 'once' });
    await client.ask('dm:history', { conversationId });
    expect(client.all('dm:message_received').filter((message) => message.id === id)).toHaveLength(1);
  });

  it('unknown ids are not joinable, and look the same as a conversation of others', async () => {
    const mallory = await connectAs(url, user('mallory'));
    const answers = [];
    for (const id of [
      conversationId,
      'user_nobody_noone',
      'made-up',
      'admin_ravi',
      '__proto__',
      'conversation:x',
    ]) {
      answers.push(await mallory.send('dm:join_conversation', { conversationId: id }));
    }
    for (const answer of answers) {
      expect(answer).toEqual({
        ok: false,
        error: { code: 'NOT_FOUND', message: 'There is no such conversation.', retryable: false },
      });
    }
    mallory.tell('dm:join_conversation', { conversationId });
    expect(await mallory.waitFor('error')).toMatchObject({
      event: 'dm:join_conversation',
      code: 'NOT_FOUND',
    });
    expect(mallory.all('dm:joined')).toHaveLength(0);
  });

  it('answers the same for an own conversation that does not exist yet, and joins no room', async () => {
    const id = 'user_early_ravi';
    const [early, staff] = [await connectAs(url, user('early')), await connectAs(url, admin('root'))];
    expect(await early.ask('dm:join_conversation', { conversationId: id })).toEqual({
      conversationId: id,
      success: true,
    });
    expect(await early.waitFor('dm:joined')).toEqual({ conversationId: id, success: true });
    expect(await staff.ask('dm:join_conversation', { conversationId: id })).toEqual({
      conversationId: id,
      success: true,
    });

    const ravi = await connectAs(url, astrologer('ravi'));
    const first = await sendTo(ravi, user('early'), { content: 'hi' });
    await early.waitFor('dm:message_received', (message) => message.id === first.id);
    await staff.ask('dm:leave_conversation', { conversationId: id });
    expect(staff.all('dm:message_received').filter((message) => message.id === first.id)).toHaveLength(0);
  });

  it.each([
    [{}],
    [{ conversationId: 5 }],
    [{ conversationId: '' }],
    [{ conversationId: { $ne: null } }],
    [{ conversationId: ['a'] }],
  ])('refuses %j', async (payload) => {
    const client = await connectAs(url, user('asha'));
    for (const event of ['dm:join_conversation', 'dm:leave_conversation']) {
      expect(await client.send(event, payload)).toMatchObject({
        ok: false,
        error: {
          code: 'BAD_REQUEST',
          details: expect.arrayContaining([{ field: 'conversationId', message: expect.any(String) }]),
        },
      });
      client.tell(event, payload);
      await client.waitFor('error', (error) => error.event === event && error.code === 'BAD_REQUEST');
    }
  });
});

describe('dm:leave_conversation', () => {
  it('leaves the room: an admin gets no more messages of it', async () => {
    const [staff, asha] = [await connectAs(url, admin('root')), await connectAs(url, user('asha'))];
    const say = (content: string) => sendTo(asha, astrologer('ravi'), { content });
    await staff.ask('dm:join_conversation', { conversationId });
    const heard = await say('with the admin');
    await staff.waitFor('dm:message_received', ({ id }) => id === heard.id);

    expect(await staff.ask('dm:leave_conversation', { conversationId })).toEqual(joined);
    await say('without the admin');
    await barrier(asha, admin(), staff);
    expect(staff.all('dm:message_received').map(({ content }) => content)).toEqual([
      'with the admin',
      'barrier',
    ]);
  });

  it('whoever joins and leaves at once has left, also when the node has to look the conversation up', async () => {
    const again = await startApp({ MONGODB_URI: mongoUri });
    const [staff, asha] = [
      await connectAs(again.url, admin('root')),
      await connectAs(again.url, user('asha')),
    ];
    staff.tell('dm:join_conversation', { conversationId });
    await staff.ask('dm:leave_conversation', { conversationId });
    await staff.waitFor('dm:joined');
    await sendTo(asha, astrologer('ravi'), { content: 'alone again' });
    await barrier(asha, admin(), staff);
    expect(staff.all('dm:message_received').map(({ content }) => content)).toEqual(['barrier']);
  });

  it('does not stop the messages that are addressed to oneself', async () => {
    const [ravi, asha] = [await connectAs(url, astrologer('ravi')), await connectAs(url, user('asha'))];
    await ravi.ask('dm:join_conversation', { conversationId });
    await ravi.ask('dm:leave_conversation', { conversationId });
    const sent = await sendTo(asha, astrologer('ravi'), { content: 'still there?' });
    await ravi.waitFor('dm:message_received', ({ id }) => id === sent.id);
  });

  it('is answered the same for any id: leaving tells nothing', async () => {
    const mallory = await connectAs(url, user('mallory'));
    expect(await mallory.ask('dm:leave_conversation', { conversationId })).toEqual(joined);
    expect(await mallory.ask('dm:leave_conversation', { conversationId: 'nothing' })).toEqual({
      conversationId: 'nothing',
      success: true,
    });
  });
});
