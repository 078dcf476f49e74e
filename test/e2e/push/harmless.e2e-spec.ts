import { startEmbeddedMongo } from '@samvad/embedded-mongo';
import { PushService } from '../../../src/push/push.service.js';
import { startApp } from '../../support/app.js';
import { closeAfterAll, closeAfterTest } from '../../support/cleanup.js';
import { connectAs } from '../../support/client.js';
import { answers, FcmServer } from '../../support/fcm-server.js';
import { aCall, aMessage, storedTokens, withDevice } from '../../support/push.js';
import { astrologer, user } from '../../support/token.js';

/** So many pushes of messages go out at a time; calls have places of their own. */
const AT_A_TIME = 100;
/** More than go out at a time. */
const BURST = 150;

let fcm: FcmServer;

beforeAll(async () => {
  fcm = await FcmServer.start();
});

describe('a push', () => {
  it('delays neither the event that caused it nor the shutdown while FCM hangs, and is not lost', async () => {
    const { mongoUri } = await startApp();
    const first = await startApp({ FCM_URL: fcm.url, MONGODB_URI: mongoUri });
    const client = await withDevice(first.url, user('hanging'), 'hanging');
    fcm.plan('hanging', answers.hang);
    const push = first.app.get(PushService);
    const messages = Array.from({ length: BURST }, () => aMessage());
    const start = performance.now();
    for (const message of messages) push.message(user('hanging'), message);
    push.callRinging(user('hanging'), aCall());
    expect(performance.now() - start).toBeLessThan(1000);
    await fcm.waitFor('hanging', AT_A_TIME, 'message');
    const recipient = { recipientId: 'ravi', recipientType: 'astrologer' };
    await client.ask('dm:send_message', { ...recipient, content: 'meanwhile' });
    // No more than the limit, whatever waits.
    expect(fcm.to('hanging', 'message')).toHaveLength(AT_A_TIME);

    const closing = performance.now();
    await first.app.close();
    expect(performance.now() - closing).toBeLessThan(4000);

    const before = fcm.to('hanging', 'message').length;
    fcm.plan('hanging', answers.success);
    await startApp({ FCM_URL: fcm.url, MONGODB_URI: mongoUri });
    await fcm.waitFor('hanging', before + BURST, 'message');
    const got = new Set(fcm.to('hanging', 'message').map(({ message }) => message.data.messageId));
    expect(got).toEqual(new Set(messages.map(({ messageId }) => messageId)));
  });

  it('of a call goes before those of messages', async () => {
    const node = await startApp({ FCM_URL: fcm.url });
    await withDevice(node.url, user('busy'), 'busy');
    const push = node.app.get(PushService);
    // The server in this process takes one new connection in each turn of its event loop: that is not what is measured.
    for (let i = 0; i < BURST; i += 1) push.message(user('busy'), aMessage());
    await fcm.waitFor('busy', BURST);
    for (let i = 0; i < 3 * AT_A_TIME; i += 1) push.message(user('busy'), aMessage());
    push.callRinging(user('busy'), aCall());
    await fcm.waitFor('busy', BURST + 3 * AT_A_TIME + 1);
    const place = fcm.to('busy').findIndex(({ message }) => message.data.type === 'call');
    expect(place).toBeLessThan(BURST + 2 * AT_A_TIME);
  });

  it('of a call, and its cancel, wait for no message that is under way', async () => {
    const node = await startApp({ FCM_URL: fcm.url });
    await withDevice(node.url, user('slow'), 'slow');
    await withDevice(node.url, astrologer('called'), 'called');
    fcm.plan('slow', answers.hang);
    const push = node.app.get(PushService);
    for (let i = 0; i < BURST; i += 1) push.message(user('slow'), aMessage());
    await fcm.waitFor('slow', AT_A_TIME);
    const call = aCall();
    push.callRinging(astrologer('called'), call);
    await fcm.waitFor('called', 1, 'call');
    push.callCancelled(astrologer('called'), call.callId);
    await fcm.waitFor('called', 1, 'call_cancel');
    // Had they waited, one of the messages would have been given up, and the next one would have gone out.
    expect(fcm.to('slow')).toHaveLength(AT_A_TIME);
  });

  it('goes to no token that became another identity’s while it waited', async () => {
    const node = await startApp({ FCM_URL: fcm.url });
    const held: (() => void)[] = [];
    await withDevice(node.url, user('crowd'), 'crowd');
    fcm.plan('crowd', (response) => held.push(() => answers.success(response)));
    await withDevice(node.url, astrologer('former'), 'passed-on', 'former');
    fcm.plan('former', (response) => held.push(() => answers.success(response)));
    const push = node.app.get(PushService);
    for (let i = 1; i < AT_A_TIME; i += 1) push.message(user('crowd'), aMessage());
    await fcm.waitFor('crowd', AT_A_TIME - 1);
    // The last free place: one device gets it, the other one waits.
    push.message(astrologer('former'), aMessage({ content: 'for the former owner alone' }));
    await fcm.waitFor('former');
    await withDevice(node.url, user('new-owner'), 'passed-on');
    push.message(user('new-owner'), aMessage({ content: 'for the new owner' }));
    for (const release of held) release();
    const { message } = await fcm.waitFor('passed-on');
    expect(message.data.content).toBe('for the new owner');
  });

  it('is dropped when too many wait: of messages the oldest, of calls none', async () => {
    const node = await startApp({ FCM_URL: fcm.url });
    await withDevice(node.url, user('flood'), 'flood');
    const push = node.app.get(PushService);
    for (let i = 0; i < 3000; i += 1) push.message(user('flood'), aMessage({ messageId: `flood-${i}` }));
    const call = aCall();
    push.callRinging(user('flood'), call);
    push.message(user('flood'), aMessage({ messageId: 'flood-last' }));
    await fcm.waitFor('flood', 1, 'call');
    const seen = new Set<string | undefined>();
    for (let i = 1; !seen.has('flood-last'); i += 1)
      seen.add((await fcm.waitFor('flood', i)).message.data.messageId);
    expect(seen).toContain('flood-2999');
    expect(seen).not.toContain('flood-500');
  });

  it('is dropped, and logged without its content, when there are no credentials', async () => {
    const lines: string[] = [];
    const node = await startApp();
    const silent = (): void => undefined;
    const debug = (line: unknown): void => void lines.push(String(line));
    node.app.useLogger({ log: silent, warn: silent, error: silent, debug });
    closeAfterTest(() => node.app.useLogger(false));
    const client = await withDevice(node.url, user('unconfigured'), 'unconfigured-token');
    const push = node.app.get(PushService);
    push.message(user('unconfigured'), aMessage({ content: 'a secret' }));
    push.callRinging(user('unconfigured'), aCall());
    push.callCancelled(user('unconfigured'), 'a-call');
    const dropped = lines.filter((line) => line.includes('push is dropped'));
    expect(dropped).toHaveLength(3);
    expect(lines.join('\n')).not.toMatch(/a secret|unconfigured-token|agora-token/);
    expect(await storedTokens(node, 'user:unconfigured')).toEqual(['unconfigured-token']);
    await client.ask('push:unregister', { token: 'unconfigured-token' });
  });

  it('is given up in silence when the database is away, and pushes go on when it is back', async () => {
    const mongo = await startEmbeddedMongo({ durable: false });
    const node = await startApp({ FCM_URL: fcm.url, MONGODB_URI: mongo.uri });
    await withDevice(node.url, astrologer('outage'), 'outage');
    const push = node.app.get(PushService);
    const { port } = new URL(mongo.uri);
    const { dir } = mongo;
    await mongo.close();
    const call = aCall();
    push.message(astrologer('outage'), aMessage());
    push.callRinging(astrologer('outage'), call);
    push.callCancelled(astrologer('outage'), call.callId);
    const again = await startEmbeddedMongo({ dir, durable: false, port: Number(port) });
    closeAfterAll(() => again.close());
    const client = await connectAs(node.url, astrologer('outage'));
    for (let isBack = false; !isBack;)
      isBack = (await client.send('push:register', { token: 'outage', platform: 'web' })).ok;
    const message = aMessage();
    push.message(astrologer('outage'), message);
    for (let i = 1; ; i += 1)
      if ((await fcm.waitFor('outage', i)).message.data.messageId === message.messageId) break;
    expect(fcm.to('outage', 'call')).toEqual([]);
  });
});
