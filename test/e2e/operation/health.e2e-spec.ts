import { EventDispatcher } from '../../../src/realtime/event-dispatcher.js';
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
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({
      info: { database: { status: 'up' }, node: { status: 'up' } },
    });
    expect(ready.headers.has('x-powered-by')).toBe(false);
  });

  it('is not ready while it shuts down', async () => {
    const { url, app } = await startApp();
    await app.get(EventDispatcher, { strict: false }).drain(0);
    const ready = await fetch(`${url}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ error: { node: { status: 'down', code: 'UNAVAILABLE' } } });
  });
});
