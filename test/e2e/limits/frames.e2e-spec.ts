import { startApp } from '../../support/app.js';
import { connectAs, type TestClient } from '../../support/client.js';
import { user } from '../../support/token.js';

const MAX_FRAME_BYTES = 65_536;
const EVENT = 'no:such_event';

/** Sends one frame of so many bytes. */
function sendFrame(client: TestClient, bytes: number): void {
  const rest = `42${JSON.stringify([EVENT, { n: '' }])}`.length;
  client.tell(EVENT, { n: 'x'.repeat(bytes - rest) });
}

it('a frame of 64 KiB is taken; one of a byte more closes that connection alone', async () => {
  const { url } = await startApp();
  const [client, other] = [await connectAs(url, user('u1')), await connectAs(url, user('u2'))];
  sendFrame(client, MAX_FRAME_BYTES);
  expect(await client.waitFor('error')).toMatchObject({ event: EVENT, code: 'UNKNOWN_EVENT' });
  const closed = new Promise((resolve) => client.socket.once('disconnect', resolve));
  sendFrame(client, MAX_FRAME_BYTES + 1);
  await closed;
  expect(client.all('error')).toHaveLength(1);
  expect(await other.send('dm:conversations', {})).toMatchObject({ ok: true });
});

it('a polled body of 64 KiB is taken; one of a byte more is refused', async () => {
  const { url } = await startApp();
  const polling = `${url}/socket.io/?EIO=4&transport=polling`;
  const post = async (bytes: number): Promise<number> => {
    const { sid } = JSON.parse((await (await fetch(polling)).text()).slice(1)) as { sid: string };
    const body = `4${'x'.repeat(bytes - 1)}`;
    const response = await fetch(`${polling}&sid=${sid}`, { method: 'POST', body }).catch(() => undefined);
    return response?.status ?? 413;
  };
  expect(await post(MAX_FRAME_BYTES)).toBe(200);
  expect(await post(MAX_FRAME_BYTES + 1)).toBe(413);
});
