import type { LiveCommentPayload, LiveModerationPayload } from '../../../src/contract/live.js';
import { startApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { refusal } from '../../support/direct-chat.js';
import {
  expectModeratorsOnly,
  expectNeedsStream,
  expectTargetRules,
  onAir,
  target,
} from '../../support/live.js';
import { settle, watch, watchAs } from '../../support/live-stream.js';
import { refused } from '../../support/refusals.js';
import { admin } from '../../support/token.js';

let url: string;
beforeAll(async () => {
  ({ url } = await startApp());
});

const comment = (client: TestClient, streamId: string) =>
  client.ask<LiveCommentPayload>('live:comment', { streamId, message: 'hello' });

describe('live:mute', () => {
  it('keeps somebody from commenting, tells all their devices and nobody else, and is in the snapshot', async () => {
    const { streamId, host, a, v, asha } = await onAir(url);
    const elsewhere = await connectAs(url, asha);
    const ack = await host.ask<LiveModerationPayload>('live:mute', { streamId, ...target(asha) });
    expect(ack).toEqual({ streamId, ...target(asha), muted: true, banned: false });
    await settle(a, elsewhere, v, host);
    for (const device of [a, elsewhere])
      expect(device.all('live:muted')).toEqual([
        { streamId, muted: true, timestamp: expect.any(Number) as number },
      ]);
    for (const client of [v, host]) expect(client.all('live:muted')).toEqual([]);
    const muted = { streamId, message: 'hi' };
    expect(await refusal(a, 'live:comment', muted)).toEqual(refused('FORBIDDEN'));
    expect((await watch(elsewhere, streamId)).muted).toBe(true);
    expect(await refusal(elsewhere, 'live:comment', muted)).toEqual(refused('FORBIDDEN'));
    await comment(v, streamId);
    await settle(a);
    expect(a.all('live:comment')).toHaveLength(1);
  });

  it('may be said by admins, before the person comes, and again', async () => {
    const { streamId, outsider, mira } = await onAir(url);
    const staff = await connectAs(url, admin('root'));
    for (let i = 0; i < 2; i += 1)
      expect(await staff.ask('live:mute', { streamId, ...target(mira) })).toMatchObject({ muted: true });
    expect((await watch(outsider, streamId)).muted).toBe(true);
    expect(await refusal(outsider, 'live:comment', { streamId, message: 'hi' })).toEqual(
      refused('FORBIDDEN'),
    );
  });

  it('is about one stream, and one person', async () => {
    const [one, other] = [await onAir(url), await onAir(url)];
    await one.host.ask('live:mute', { streamId: one.streamId, ...target(one.asha) });
    await watch(one.a, other.streamId);
    await comment(one.a, other.streamId);
    const namesake = await watchAs(url, { ...one.asha, type: 'astrologer' }, one.streamId);
    await comment(namesake, one.streamId);
  });

  it('at once with many comments lets none through once it is acknowledged', async () => {
    const { streamId, host, a, asha } = await onAir(url);
    const comments = Array.from({ length: 3 }, () => a.send('live:comment', { streamId, message: 'hi' }));
    await host.ask('live:mute', { streamId, ...target(asha) });
    await Promise.all(comments);
    await settle(host);
    const before = host.all('live:comment').length;
    expect(await refusal(a, 'live:comment', { streamId, message: 'hi' })).toEqual(refused('FORBIDDEN'));
    await settle(host);
    expect(host.all('live:comment')).toHaveLength(before);
  });

  it('is for the broadcaster and admins, about viewers', async () => {
    await expectModeratorsOnly(url, 'live:mute', ({ asha }) => target(asha));
    await expectTargetRules(url, 'live:mute');
    const { host, asha } = await onAir(url);
    await expectNeedsStream(host, 'live:mute', target(asha));
  });
});
