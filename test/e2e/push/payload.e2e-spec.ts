import { generateKeyPairSync } from 'node:crypto';
import { PushService } from '../../../src/push/push.service.js';
import { startApp, type TestApp } from '../../support/app.js';
import type { FcmServer } from '../../support/fcm-server.js';
import { aCall, aMessage, startWithFcm, withDevice } from '../../support/push.js';
import { user } from '../../support/token.js';

let fcm: FcmServer;
let node: TestApp;
let push: PushService;

beforeAll(async () => {
  ({ fcm, node, push } = await startWithFcm());
});

describe('what goes to FCM', () => {
  it('has texts only, and exactly the fields of its kind', async () => {
    await withDevice(node.url, user('fields'), 'fields');
    const { expiresAt, ...call } = aCall({ callType: 'video', callerAvatar: 'https://example.com/a.png' });
    push.callRinging(user('fields'), { ...call, expiresAt });
    const ring = (await fcm.waitFor('fields')).message.data;
    expect(ring).toEqual({
      ...call,
      type: 'video_call',
      expiresAt: expiresAt.toISOString(),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    });
    push.callRinging(user('fields'), aCall({ callType: 'voice' }));
    expect((await fcm.waitFor('fields', 2)).message.data.type).toBe('call');
    const message = aMessage({ messageType: 'image', content: '' });
    push.message(user('fields'), message);
    expect((await fcm.waitFor('fields', 3)).message.data).toEqual({ ...message, type: 'message' });
    push.callCancelled(user('fields'), call.callId);
    expect((await fcm.waitFor('fields', 4)).message.data).toEqual({
      type: 'call_cancel',
      callId: call.callId,
    });
    for (const { message: sent } of fcm.to('fields')) {
      for (const value of Object.values(sent.data)) expect(typeof value).toBe('string');
      expect(sent.android.priority).toBe('high');
      expect(sent.apns.headers).toMatchObject({ 'apns-priority': '10', 'apns-push-type': 'alert' });
      expect(sent.apns.payload.aps).toEqual({ 'content-available': 1 });
      expect(sent.webpush.headers.Urgency).toBe('high');
    }
  });

  it('is asked for in the name of the project, with an access token', async () => {
    await withDevice(node.url, user('path'), 'path');
    push.message(user('path'), aMessage());
    expect(await fcm.waitFor('path')).toMatchObject({
      path: '/v1/projects/samvad-test/messages:send',
      authorization: 'Bearer test-access-token',
    });
  });

  it('is asked for in the name of the service account’s project, if there is one', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const account = {
      project_id: 'a-project',
      client_email: 'push@a-project.example',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
    const own = await startApp({ FCM_URL: fcm.url, FIREBASE_SERVICE_ACCOUNT: JSON.stringify(account) });
    await withDevice(own.url, user('account'), 'account');
    own.app.get(PushService).message(user('account'), aMessage());
    expect((await fcm.waitFor('account')).path).toBe('/v1/projects/a-project/messages:send');
  });

  it('fits, whatever people write', async () => {
    await withDevice(node.url, user('size'), 'size');
    const senderName = 'अ'.repeat(100);
    push.message(
      user('size'),
      aMessage({
        content: '👩‍👩‍👧‍👦'.repeat(500),
        senderName,
        senderAvatar: `https://a.example/${'x'.repeat(2000)}`,
      }),
    );
    const { data } = (await fcm.waitFor('size')).message;
    expect(data.content).toBe('👩‍👩‍👧‍👦'.repeat(9));
    expect(data.senderName).toBe(senderName);
    expect(data.senderAvatar).toBe('');
    expect(Buffer.byteLength(JSON.stringify(data))).toBeLessThan(4096);
  });
});
