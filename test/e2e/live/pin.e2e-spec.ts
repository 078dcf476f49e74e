import type { LiveCommentPayload, LivePinnedPayload } from '../../../src/contract/live.js';
import { startApp, type TestApp } from '../../support/app.js';
import type { TestClient } from '../../support/client.js';
import { command, DatabaseProxy } from '../../support/database-proxy.js';
import { MISSING_ID, refusal } from '../../support/direct-chat.js';
import { expectModeratorsOnly, expectNeedsStream, onAir } from '../../support/live.js';
import { ENDED, settle, storedStream, watch, watchAs } from '../../support/live-stream.js';
import { expectBadField, refused } from '../../support/refusals.js';
import { admin } from '../../support/token.js';

let testApp: TestApp;
let url: string;
beforeAll(async () => {
  testApp = await startApp();
  ({ url } = testApp);
});

const comment = (client: TestClient, streamId: string, message = 'hello') =>
  client.ask<LiveCommentPayload>('live:comment', { streamId, message });
const pin = (client: TestClient, streamId: string, commentId?: string | null) =>
  client.ask<LivePinnedPayload>('live:pin', { streamId, commentId });
const at = expect.any(Number) as number;

describe('live:pin', () => {
  it('puts one comment above all others, for everybody and for those who come', async () => {
    const { streamId, host, a, v, outsider } = await onAir(url);
    const staff = await watchAs(url, admin('root'), streamId);
    const [one, two] = [await comment(a, streamId, 'one'), await comment(v, streamId, 'two')];
    const pinned = [await pin(host, streamId, one.id), await pin(staff, streamId, two.id)];
    expect(pinned).toEqual([
      { streamId, comment: one, timestamp: at },
      { streamId, comment: two, timestamp: at },
    ]);
    expect((await watch(outsider, streamId)).pinned).toEqual(two);
    pinned.push(await pin(host, streamId, null));
    expect(pinned[2]).toEqual({ streamId, comment: null, timestamp: at });
    expect((await watch(outsider, streamId)).pinned).toBeNull();
    await settle(host, a, v, staff);
    for (const client of [host, a, v, staff]) expect(client.all('live:pinned')).toEqual(pinned);
  });

  it('may be repeated, and unpins what is not pinned', async () => {
    const { streamId, host, a } = await onAir(url);
    expect(await pin(host, streamId)).toMatchObject({ comment: null });
    const { id } = await comment(a, streamId);
    for (let i = 0; i < 2; i += 1) expect(await pin(host, streamId, id)).toMatchObject({ comment: { id } });
    expect((await watch(a, streamId)).pinned?.id).toBe(id);
  });

  it('of many at once shows last to everybody what the stream keeps', async () => {
    const { streamId, host, a, v } = await onAir(url);
    const comments = await Promise.all(Array.from({ length: 10 }, (_, i) => comment(host, streamId, `${i}`)));
    await Promise.all(comments.map(({ id }) => pin(host, streamId, id)));
    await settle(a, v);
    const kept = (await watch(v, streamId)).pinned?.id;
    for (const client of [a, v]) expect(client.all('live:pinned').at(-1)?.comment?.id).toBe(kept);
  });

  it('is refused for a comment of another stream, a deleted one, and none', async () => {
    const [one, other] = [await onAir(url), await onAir(url)];
    const { streamId, host, a } = one;
    const { id: theirs } = await comment(other.a, other.streamId);
    const { id: deleted } = await comment(a, streamId);
    await host.ask('live:delete_comment', { streamId, commentId: deleted });
    for (const commentId of [theirs, deleted, MISSING_ID])
      expect(await refusal(host, 'live:pin', { streamId, commentId })).toEqual(refused('NOT_FOUND'));
    for (const commentId of ['', 'x', 7, { $ne: null }])
      await expectBadField(host, 'live:pin', { streamId, commentId }, 'commentId');
    await settle(a);
    expect(a.all('live:pinned')).toEqual([]);
  });

  it('is for the broadcaster and admins', async () => {
    await expectModeratorsOnly(url, 'live:pin', () => ({ commentId: null }));
    const { host } = await onAir(url);
    await expectNeedsStream(host, 'live:pin', {});
  });
});

describe('live:delete_comment', () => {
  const remove = (client: TestClient, streamId: string, commentId: string) =>
    client.ask('live:delete_comment', { streamId, commentId });

  it('takes a comment away from everybody, by its author, the broadcaster or an admin', async () => {
    const { streamId, host, a, v } = await onAir(url);
    const staff = await watchAs(url, admin('root'), streamId);
    const deleted = [];
    for (const deleter of [a, host, staff]) {
      const { id } = await comment(a, streamId);
      const ack = await remove(deleter, streamId, id);
      expect(ack).toEqual({ streamId, commentId: id, timestamp: at });
      deleted.push(ack);
    }
    await settle(host, a, v, staff);
    for (const client of [host, a, v, staff]) expect(client.all('live:comment_deleted')).toEqual(deleted);
    expect((await watch(v, streamId)).comments).toEqual([]);
  });

  it('takes it from above the others, too', async () => {
    const { streamId, host, a, v } = await onAir(url);
    const { id } = await comment(a, streamId);
    await pin(host, streamId, id);
    await remove(a, streamId, id);
    expect((await watch(v, streamId)).pinned).toBeNull();
  });

  it('at the moment of its pin leaves nothing pinned that is deleted', async () => {
    const { streamId, host, a, v, outsider } = await onAir(url);
    const staff = await watchAs(url, admin('root'), streamId);
    for (let i = 0; i < 10; i += 1) {
      const { id } = await comment(host, streamId);
      await Promise.all([remove(staff, streamId, id), host.send('live:pin', { streamId, commentId: id })]);
      await settle(a, v);
      expect((await watch(outsider, streamId)).pinned).toBeNull();
      for (const client of [a, v]) {
        const told = client.received
          .filter(({ event }) => ['live:pinned', 'live:comment_deleted'].includes(event))
          .map(({ event }) => event);
        // Nobody is left with it above the others: it was not pinned, or not any more when it went.
        expect(told.at(-1)).toBe('live:comment_deleted');
      }
    }
  });

  it('at the moment of its pin on another node leaves nothing pinned that is deleted', async () => {
    const database = await DatabaseProxy.start(testApp.mongoUri);
    const other = await startApp({ MONGODB_URI: database.uri });
    const { streamId, host, v } = await onAir(url);
    const staff = await watchAs(other.url, admin('root'), streamId);
    const { id } = await comment(host, streamId);
    const held = database.hold(command('update', 'livestreams', 'pinnedCommentId'));
    const pinning = staff.send('live:pin', { streamId, commentId: id });
    const release = await held;
    await remove(host, streamId, id);
    release();
    expect(await pinning).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } });
    expect((await storedStream(testApp, streamId)).pinnedCommentId).toBeUndefined();
    expect((await watch(v, streamId)).pinned).toBeNull();
    expect(staff.all('live:pinned').at(-1)?.comment).toBeNull();
  });

  it('is told also when the database goes away right after it', async () => {
    const database = await DatabaseProxy.start(testApp.mongoUri);
    const node = await startApp({ MONGODB_URI: database.uri });
    const { streamId, host, a, v } = await onAir(node.url);
    const { id } = await comment(a, streamId);
    await pin(host, streamId, id);
    // The driver tries once more by itself.
    for (let i = 0; i < 2; i += 1)
      void database.plan('cut', command('update', 'livestreams', 'pinnedCommentId'));
    expect(await a.send('live:delete_comment', { streamId, commentId: id })).toMatchObject({
      ok: false,
      error: { code: 'UNAVAILABLE' },
    });
    expect(await v.waitFor('live:comment_deleted')).toMatchObject({ streamId, commentId: id });
    expect(await watch(v, streamId)).toMatchObject({ comments: [], pinned: null });
  });

  it('of 20 at once lets one through', async () => {
    const { streamId, host, a, v } = await onAir(url);
    const { id } = await comment(a, streamId);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? host : a).send('live:delete_comment', { streamId, commentId: id }),
      ),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    for (const answer of answers.filter(({ ok }) => !ok))
      expect(answer).toMatchObject({ error: { code: 'NOT_FOUND' } });
    await settle(v);
    expect(v.all('live:comment_deleted')).toHaveLength(1);
  });

  it('works after the stream’s end', async () => {
    const { streamId, host, a } = await onAir(url);
    const { id } = await comment(a, streamId);
    await host.ask('live:end', { streamId });
    await remove(a, streamId, id);
    expect(await host.ask('live:comments', { streamId })).toMatchObject({ comments: [] });
    expect(await refusal(host, 'live:pin', { streamId })).toEqual(ENDED);
  });

  it('is refused to others, and for what is not there', async () => {
    const [one, other] = [await onAir(url), await onAir(url)];
    const { streamId, host, a, v, outsider } = one;
    const { id } = await comment(a, streamId);
    for (const client of [v, outsider, other.host])
      expect(await refusal(client, 'live:delete_comment', { streamId, commentId: id })).toEqual(
        refused('FORBIDDEN'),
      );
    const { id: theirs } = await comment(other.a, other.streamId);
    for (const commentId of [theirs, MISSING_ID])
      expect(await refusal(host, 'live:delete_comment', { streamId, commentId })).toEqual(
        refused('NOT_FOUND'),
      );
    expect(await refusal(host, 'live:delete_comment', { streamId: MISSING_ID, commentId: id })).toEqual(
      refused('NOT_FOUND'),
    );
    for (const commentId of [undefined, null, '', 7, { $ne: null }])
      await expectBadField(host, 'live:delete_comment', { streamId, commentId }, 'commentId');
    await expectNeedsStream(host, 'live:delete_comment', { commentId: id });
    expect((await watch(v, streamId)).comments).toHaveLength(1);
  });
});
