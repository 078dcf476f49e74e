import type { DirectMessagePayload } from '../../../src/contract/direct-message.js';
import { startApp, type TestApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { sendTo } from '../../support/direct-chat.js';
import { FcmServer } from '../../support/fcm-server.js';
import { isOnline } from '../../support/presence.js';
import { withDevice } from '../../support/push.js';
import { startRedis } from '../../support/redis.js';
import { admin, astrologer, type Person, user } from '../../support/token.js';
import { until } from '../../support/until.js';

let fcm: FcmServer;
let node: TestApp;
let other: TestApp;

beforeAll(async () => {
  fcm = await FcmServer.start();
  const variables = { FCM_URL: fcm.url, REDIS_URL: (await startRedis()).url };
  node = await startApp(variables);
  other = await startApp({ ...variables, MONGODB_URI: node.mongoUri });
});

/** Registers devices, goes, and is away for every node. */
async function away(person: Person, watcher: TestClient, ...tokens: string[]): Promise<void> {
  const client = await withDevice(node.url, person, ...tokens);
  client.close();
  await until(async () => (await isOnline(watcher, person)) === false);
}

const pushedTo = (token: string) => fcm.to(token).map(({ message }) => message.data.messageId);

/** A push of a later message to the same device: what was to come before it has come. */
async function pushBarrier(
  sender: TestClient,
  recipient: Person,
  ...tokens: string[]
): Promise<DirectMessagePayload> {
  const last = await sendTo(sender, recipient, { content: 'barrier' });
  await until(() => tokens.every((token) => pushedTo(token).includes(last.id)));
  return last;
}

describe('dm:send_message to somebody who is away', () => {
  it('causes exactly one push, with the fields that devices are promised', async () => {
    const asha = await connectAs(node.url, {
      ...user('asha1'),
      name: 'Asha',
      avatar: 'https://a.example/p.jpg',
    });
    await away(astrologer('ravi1'), asha, 'away-1');
    const content = 'n'.repeat(150);
    const message = await sendTo(asha, astrologer('ravi1'), { content });
    expect(message.status).toBe('sent');
    expect((await fcm.waitFor('away-1')).message.data).toEqual({
      type: 'message',
      conversationId: message.conversationId,
      messageId: message.id,
      senderId: 'asha1',
      senderName: 'Asha',
      senderType: 'user',
      senderAvatar: 'https://a.example/p.jpg',
      content: content.slice(0, 100),
      messageType: 'text',
    });
    const last = await pushBarrier(asha, astrologer('ravi1'), 'away-1');
    expect(pushedTo('away-1')).toEqual([message.id, last.id]);
  });

  it('causes one push for a clientMessageId, however often and on whichever node it is sent', async () => {
    const asha = await connectAs(node.url, user('asha2'));
    const again = await connectAs(other.url, user('asha2'));
    await away(astrologer('ravi2'), asha, 'away-2');
    const once = { content: 'once', clientMessageId: 'once' };
    const first = await sendTo(asha, astrologer('ravi2'), once);
    const repeats = await Promise.all(
      [asha, asha, again].map((client) => sendTo(client, astrologer('ravi2'), once)),
    );
    expect(repeats.map(({ id }) => id)).toEqual([first.id, first.id, first.id]);
    const last = await pushBarrier(asha, astrologer('ravi2'), 'away-2');
    expect(pushedTo('away-2')).toHaveLength(2);
    expect(new Set(pushedTo('away-2'))).toEqual(new Set([first.id, last.id]));
  });

  it('causes one push for each device of all admins when the shared admin is away', async () => {
    const ravi = await connectAs(node.url, astrologer('ravi3'));
    const one = await withDevice(node.url, admin('one'), 'admin-1', 'admin-2');
    one.close();
    await away(admin(), ravi, 'admin-3');
    const tokens = ['admin-1', 'admin-2', 'admin-3'];
    const message = await sendTo(ravi, admin());
    await pushBarrier(ravi, admin(), ...tokens);
    for (const token of tokens) expect(pushedTo(token).filter((id) => id === message.id)).toHaveLength(1);
  });
});

describe('dm:send_message to somebody who is connected', () => {
  it.each([
    ['on the same node', () => node.url],
    ['on another node', () => other.url],
  ])('causes no push when the socket is %s', async (where, url) => {
    const id = where.replaceAll(' ', '-');
    const asha = await connectAs(node.url, user(`asha-${id}`));
    const recipient = astrologer(`ravi-${id}`);
    const ravi = await withDevice(url(), recipient, `device-${id}`);
    const message = await sendTo(asha, recipient);
    expect(message.status).toBe('delivered');
    await ravi.waitFor('dm:message_received', ({ id: received }) => received === message.id);
    ravi.close();
    await until(async () => (await sendTo(asha, recipient)).status === 'sent');
    await until(() => pushedTo(`device-${id}`).length > 0);
    const last = await pushBarrier(asha, recipient, `device-${id}`);
    expect(pushedTo(`device-${id}`)).not.toContain(message.id);
    expect(pushedTo(`device-${id}`)).toContain(last.id);
  });
});
