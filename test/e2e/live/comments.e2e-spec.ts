import type { LiveCommentPayload, LiveCommentsPayload } from '../../../src/contract/live.js';
import { startApp } from '../../support/app.js';
import type { TestClient } from '../../support/client.js';
import { MISSING_ID, refusal } from '../../support/direct-chat.js';
import { expectNeedsStream, onAir, target } from '../../support/live.js';
import { ENDED, watchAs } from '../../support/live-stream.js';
import { expectBadField, refused } from '../../support/refusals.js';
import { admin } from '../../support/token.js';

let url: string;
beforeAll(async () => {
  ({ url } = await startApp());
});

const page = (client: TestClient, streamId: string, fields: object = {}) =>
  client.ask<LiveCommentsPayload>('live:comments', { streamId, ...fields });

async function write(client: TestClient, streamId: string, count: number): Promise<LiveCommentPayload[]> {
  const texts = Array.from({ length: count }, (_, i) => `comment ${i}`);
  return Promise.all(
    texts.map((message) => client.ask<LiveCommentPayload>('live:comment', { streamId, message })),
  );
}

const idsOf = (comments: LiveCommentPayload[]) => comments.map(({ id }) => id);

describe('live:comments', () => {
  it('goes back page by page to the first comment, without a gap or a repeat, whatever comes meanwhile', async () => {
    const { streamId, host, a } = await onAir(url);
    const written = await write(host, streamId, 25);
    const got: LiveCommentPayload[] = [];
    let cursor: string | null | undefined;
    let pages = 0;
    while (cursor !== null) {
      const { comments, nextCursor } = await page(a, streamId, { limit: 10, ...(cursor && { cursor }) });
      got.unshift(...comments);
      cursor = nextCursor;
      pages += 1;
      await write(host, streamId, 1);
    }
    expect(pages).toBe(3);
    expect(got).toEqual(written);
  });

  it('gives 50 by default, and says that there is no more when there is none', async () => {
    const { streamId, host, a } = await onAir(url);
    expect(await page(a, streamId)).toEqual({ streamId, comments: [], nextCursor: null });
    const written = await write(host, streamId, 50);
    expect(await page(a, streamId)).toEqual({ streamId, comments: written, nextCursor: null });
    const [last] = await write(host, streamId, 1);
    const first = await page(a, streamId);
    expect(idsOf(first.comments)).toEqual([...idsOf(written.slice(1)), last?.id]);
    expect(first.nextCursor).toBe(written[1]?.id);
  });

  it('leaves out what was deleted', async () => {
    const { streamId, host, a } = await onAir(url);
    const [one, two, three] = idsOf(await write(host, streamId, 3));
    await host.ask('live:delete_comment', { streamId, commentId: two });
    expect(idsOf((await page(a, streamId)).comments)).toEqual([one, three]);
    expect(idsOf((await page(a, streamId, { cursor: three })).comments)).toEqual([one]);
  });

  it('has the comments of its stream alone', async () => {
    const [one, other] = [await onAir(url), await onAir(url)];
    await write(one.host, one.streamId, 2);
    const [theirs] = idsOf(await write(other.host, other.streamId, 1));
    expect(idsOf((await page(one.a, other.streamId)).comments)).toEqual([theirs]);
  });

  it('is for whoever may join, and after the end for the broadcaster and admins', async () => {
    const { streamId, host, a, outsider, asha } = await onAir(url);
    const staff = await watchAs(url, admin('root'), streamId);
    const written = await write(host, streamId, 2);
    expect((await page(outsider, streamId)).comments).toEqual(written);
    await host.ask('live:ban', { streamId, ...target(asha) });
    expect(await refusal(a, 'live:comments', { streamId })).toEqual(refused('FORBIDDEN'));
    await host.ask('live:end', { streamId });
    expect(await refusal(outsider, 'live:comments', { streamId })).toEqual(ENDED);
    for (const client of [host, staff]) expect((await page(client, streamId)).comments).toEqual(written);
    for (const client of [host, outsider])
      expect(await refusal(client, 'live:comments', { streamId: MISSING_ID })).toEqual(refused('NOT_FOUND'));
  });

  it('is refused with what makes no sense', async () => {
    const { streamId, a } = await onAir(url);
    for (const cursor of ['x', 7, { $gt: '' }])
      await expectBadField(a, 'live:comments', { streamId, cursor }, 'cursor');
    for (const limit of [0, 101, 1.5, '10'])
      await expectBadField(a, 'live:comments', { streamId, limit }, 'limit');
    await expectNeedsStream(a, 'live:comments', {});
  });
});
