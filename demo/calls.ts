import { play } from './cast.js';
import { setTimeout } from 'node:timers/promises';
import { MESSAGE_EVENTS, type Person } from './person.js';
import { type Payload, remark, title } from './print.js';
import type { DemoServer } from './server.js';

const TALK_MS = 2000;
/** Nobody watches a demo that rings for longer. */
const PATIENCE_MS = 5000;

/** A user calls an astrologer, who answers, and who does not; fails unless each call ends as it must and leaves its log with both, once. */
export async function demoCalls(server: DemoServer): Promise<void> {
  await play(server, async (join) => {
    const asha = await join('user', 'Asha');
    const ravi = await join('astrologer', 'Ravi');
    if (!(await answered(asha, ravi, server.isOwn))) return;
    await notAnswered(asha, ravi);
    await list(asha);
  });
}

/** False when the server gives out no tokens. */
async function answered(asha: Person, ravi: Person, isOwnServer: boolean): Promise<boolean> {
  title('A call that is answered');
  const toRavi = { ...ravi.asRecipient(), callType: 'voice' };
  const call = await asha.sayUnless('call:initiate', toRavi, 'AGORA_NOT_CONFIGURED');
  if (call === undefined) {
    remark('Agora is not configured on that server (AGORA_APP_ID): in production nobody can call');
    return false;
  }
  if (isOwnServer) remark('Agora is not configured on this server: it rings, and would have no sound');
  const { callId } = call;
  await ravi.expect(['call:incoming'], isOf(callId));
  await ravi.say('call:accept', { callId });
  await asha.expect(['call:accept'], isOf(callId));
  await asha.say('call:connected', { callId });
  await ravi.expect(['call:connected'], isOf(callId));
  await ravi.say('call:connected', { callId });
  remark('they talk for two seconds');
  await setTimeout(TALK_MS);
  const { duration } = await ravi.say('call:end', { callId });
  await asha.expect(['call:end'], (payload) => isOf(callId)(payload) && payload.duration === duration);
  // Timers may be a millisecond early.
  if (Number(duration) < TALK_MS / 1000 - 1) throw new Error(`They talked for ${String(duration)} s only.`);
  await expectLog([asha, ravi], callId, 'completed');
  return true;
}

async function notAnswered(asha: Person, ravi: Person): Promise<void> {
  title('A call that nobody answers');
  const toRavi = { ...ravi.asRecipient(), callType: 'video' };
  const { callId, ringTimeoutMs } = await asha.say('call:initiate', toRavi);
  await ravi.expect(['call:incoming'], isOf(callId));
  const isPatient = Number(ringTimeoutMs) <= PATIENCE_MS;
  if (!isPatient) {
    remark(`it would ring for ${Math.ceil(Number(ringTimeoutMs) / 1000)} s: Asha gives up`);
    await asha.say('call:end', { callId });
  }
  const ending = isPatient ? 'missed' : 'cancelled';
  const isEnd = (payload: Payload): boolean => isOf(callId)(payload) && payload.reason === ending;
  await ravi.expect(['call:end'], isEnd);
  if (isPatient) await asha.expect(['call:end'], isEnd);
  await expectLog([asha, ravi], callId, ending);
}

async function list(asha: Person): Promise<void> {
  title('What has become of them');
  const { call } = await asha.say('call:state', {});
  const { calls } = await asha.say('call:history', { limit: 10 });
  if (call !== null || (calls as Payload[]).length !== 2) throw new Error('Asha sees other calls.');
}

/** What is left of a call in the conversation of its parties. */
async function expectLog(people: Person[], callId: unknown, callStatus: string): Promise<void> {
  const isLog = (payload: Payload): boolean => isOf(callId)(payload) && payload.callStatus === callStatus;
  for (const person of people) {
    await person.expect(MESSAGE_EVENTS, isLog);
    // What came before this is here with its answer.
    await person.say('call:state', { callId });
    if (person.count(MESSAGE_EVENTS, isOf(callId)) !== 1)
      throw new Error(`${person.name} got more than one log of a call.`);
  }
}

function isOf(callId: unknown): (payload: Payload) => boolean {
  return (payload) => payload.callId === callId;
}
