import { startApp } from '../../support/app.js';

describe('health', () => {
  it('is live and ready while the database answers', async () => {
    const { url } = await startApp();
    const live = await fetch(`${url}/health/live`);
    expect([live.status, await live.json()]).toEqual([
      200,
      { status: 'ok', info: {}, error: {}, details: {} },
    ]);
    const ready = await fetch(`${url}/health/ready`);
    expect([ready.status, ((await ready.json()) as { info: object }).info]).toEqual([
      200,
      { database: { status: 'up' } },
    ]);
    expect(ready.headers.has('x-powered-by')).toBe(false);
  });
});
