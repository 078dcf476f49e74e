import { MISSING_ID, refusal } from './direct-chat.js';
import { connectAs, type TestClient } from './client.js';
import { broadcastAs, ENDED, newCast, settle, told, watch, watchAs } from './live-stream.js';
import { expectBadField, refused, WRONG_IDS } from './refusals.js';
import { admin, type Person } from './token.js';

/** A stream of fresh people: who broadcasts, two who watch, and one who only is connected. */
export async function onAir(url: string) {
  const cast = newCast();
  const { host, streamId } = await broadcastAs(url, cast.tara);
  const a = await watchAs(url, cast.asha, streamId);
  const v = await watchAs(url, cast.veer, streamId);
  const outsider = await connectAs(url, cast.mira);
  return { ...cast, streamId, host, a, v, outsider };
}

export const target = ({ id, type }: Person) => ({ userId: id, userType: type });

/** Fails unless the event is refused to whoever is not in the stream, and nobody hears of it. */
export async function expectInsideOnly(url: string, event: string, fields: object = {}): Promise<void> {
  const { streamId, host, a, v, outsider, asha } = await onAir(url);
  const payload = { streamId, ...fields };
  expect(await refusal(outsider, event, { ...payload, streamId: MISSING_ID })).toEqual(refused('NOT_FOUND'));
  expect(await refusal(outsider, event, payload)).toEqual(refused('FORBIDDEN'));
  await v.ask('live:leave', { streamId });
  expect(await refusal(v, event, payload)).toEqual(refused('FORBIDDEN'));
  await watch(v, streamId);
  await host.ask('live:ban', { streamId, ...target(asha) });
  expect(await refusal(a, event, payload)).toEqual(refused('FORBIDDEN'));
  await settle(v);
  expect(told(v, streamId)).toEqual([]);
  await host.ask('live:end', { streamId });
  expect(await refusal(v, event, payload)).toEqual(ENDED);
}

/** Fails unless the event is refused to all but the broadcaster and admins, and of a stream that is not live. */
export async function expectModeratorsOnly(
  url: string,
  event: string,
  fields: (cast: { asha: Person }) => object,
): Promise<void> {
  const { streamId, host, a, v, outsider, asha } = await onAir(url);
  const payload = { streamId, ...fields({ asha }) };
  const { host: otherHost } = await broadcastAs(url, newCast().tara);
  for (const client of [v, outsider, otherHost])
    expect(await refusal(client, event, payload)).toEqual(refused('FORBIDDEN'));
  expect(await refusal(host, event, { ...payload, streamId: MISSING_ID })).toEqual(refused('NOT_FOUND'));
  await settle(a, v);
  for (const client of [a, v]) expect(told(client, streamId)).toEqual([]);
  await host.ask('live:end', { streamId });
  expect(await refusal(host, event, payload)).toEqual(ENDED);
}

/** Fails unless the event is refused about the broadcaster, admins, and what is nobody. */
export async function expectTargetRules(url: string, event: string): Promise<void> {
  const { streamId, host, tara } = await onAir(url);
  for (const person of [tara, admin(), admin('root')])
    expect(await refusal(host, event, { streamId, ...target(person) })).toEqual(refused('FORBIDDEN'));
  for (const userId of [undefined, null, '', 'a b', 7, 'x'.repeat(65), { $ne: null }])
    await expectBadField(host, event, { streamId, userId, userType: 'user' }, 'userId');
  for (const userType of [undefined, null, 'guest', 7, { $ne: null }])
    await expectBadField(host, event, { streamId, userId: 'u1', userType }, 'userType');
}

/** Fails unless the event is refused without the id of a stream. */
export async function expectNeedsStream(
  client: TestClient,
  event: string,
  fields: object = {},
): Promise<void> {
  for (const streamId of WRONG_IDS) await expectBadField(client, event, { ...fields, streamId }, 'streamId');
}

/** Several devices of one person, all in the stream. */
export function devicesOf(
  url: string,
  person: Person,
  streamId: string,
  count: number,
): Promise<TestClient[]> {
  return Promise.all(Array.from({ length: count }, () => watchAs(url, person, streamId)));
}
