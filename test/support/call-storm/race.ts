import { setTimeout as wait } from 'node:timers/promises';
import type { Ack } from '../../../src/contract/ack.js';
import type { CallInitiatedPayload, CallState, CallStatePayload } from '../../../src/contract/call.js';
import { connectAs } from '../client.js';
import { barrier } from '../direct-chat.js';
import { newPair } from '../pair.js';
import type { Random } from '../soak/random.js';
import type { Person } from '../token.js';
import { CallEar } from './call-ear.js';

/** The parties act within so many milliseconds around the instant that is aimed at. */
const SPREAD_MS = 10;

/**
 * How long before the end of the ringing the parties act: their events take a while to arrive, longer on a slow machine. It moves after every
 * race, so that the clock wins a third of them.
 */
export class Aim {
  private leadMs = 10;

  /** Milliseconds from now. */
  timeTo(expiresAt: string, random: Random): number {
    return Date.parse(expiresAt) - Date.now() - this.leadMs + (random.next() - 0.5) * SPREAD_MS;
  }

  learn(winner: Winner): void {
    this.leadMs += winner === 'timeout' ? 2 : -1;
  }
}

/** The devices of a caller and a callee, by what they do in a race. */
const ROLES = ['ender', 'callersOther', 'accepter', 'rejecter', 'bystander'] as const;

type Role = (typeof ROLES)[number];

export type Winner = 'accept' | 'reject' | 'end' | 'timeout';

interface Deed {
  by: Role;
  name: Winner;
  event: string;
}

const DEEDS: Deed[] = [
  { by: 'accepter', name: 'accept', event: 'call:accept' },
  { by: 'rejecter', name: 'reject', event: 'call:reject' },
  { by: 'ender', name: 'end', event: 'call:end' },
];

interface Answer extends Omit<Deed, 'event'> {
  ack: Ack;
  /** Milliseconds since 1970. */
  at: number;
}

/** What the stored call must be when this one has won. */
const STATES: Record<Winner, CallState> = {
  accept: 'accepted',
  reject: 'rejected',
  end: 'cancelled',
  timeout: 'missed',
};

export interface RaceResult {
  winner: Winner;
  /** Whether the caller's `end` found the call answered, and so ended it: it may when another node answered. */
  isEndedToo: boolean;
  /** What is not as it must be, in words. */
  problems: string[];
  /** From the first word of the outcome to the moment at which each device had stopped, in milliseconds. */
  stopMs: number[];
}

/** Two people with several devices who race each other again and again, one call after another. */
export class Racers {
  private constructor(
    private readonly callee: Person,
    private readonly ears: Record<Role, CallEar>,
    private readonly random: Random,
    private readonly aim: Aim,
  ) {}

  /** @param urls of the nodes; the devices take turns */
  static async connect(urls: string[], random: Random, aim: Aim): Promise<Racers> {
    const { asha: caller, ravi: callee } = newPair();
    const ears: Partial<Record<Role, CallEar>> = {};
    for (const [index, role] of ROLES.entries()) {
      const person = role === 'ender' || role === 'callersOther' ? caller : callee;
      ears[role] = new CallEar(await connectAs(urls[index % urls.length] as string, person));
    }
    return new Racers(callee, ears as Record<Role, CallEar>, random, aim);
  }

  /** One call: accept, reject and end in the same instant, close to the end of the ringing. */
  async race(): Promise<RaceResult> {
    const callId = await this.letRing();
    const answers = await this.actAtOnce(callId);
    const { call } = await this.ears.ender.client.ask<CallStatePayload>('call:state', { callId });
    const won = answers.filter(({ ack }) => ack.ok).map(({ name }) => name);
    const isEndedToo = won.includes('accept') && won.includes('end');
    const winner = isEndedToo ? 'accept' : (won[0] ?? 'timeout');
    this.aim.learn(winner);
    await this.everythingHasArrived();

    const problems = [
      ...(won.length > (isEndedToo ? 2 : 1) ? [`${won.join(' and ')} won`] : []),
      ...answers.flatMap(faultOfLoser),
      ...faultsOfStored(call, isEndedToo ? 'ended' : STATES[winner]),
      ...this.faultsOfStories(callId, winner, isEndedToo),
    ].map((problem) => `${callId}, won by ${winner}: ${problem}`);
    const result = { winner, isEndedToo, problems, stopMs: this.stopsAfter(callId, answers) };
    if (winner === 'accept' && !isEndedToo) await this.ears.ender.client.ask('call:end', { callId });
    return result;
  }

  /** Up to the instant at which the parties are to act. */
  private async letRing(): Promise<string> {
    const { id: recipientId, type: recipientType } = this.callee;
    const { ender, accepter, rejecter, bystander } = this.ears;
    const payload = { recipientId, recipientType, callType: 'voice' };
    const { callId } = await ender.client.ask<CallInitiatedPayload>('call:initiate', payload);
    const hear = ({ client }: CallEar) =>
      client.waitFor('call:incoming', (incoming) => incoming.callId === callId);
    await Promise.all([accepter, rejecter].map(hear));
    const { expiresAt } = await hear(bystander);
    await wait(this.aim.timeTo(expiresAt, this.random));
    return callId;
  }

  private actAtOnce(callId: string): Promise<Answer[]> {
    return Promise.all(
      shuffled(DEEDS, this.random).map(async ({ by, name, event }) => {
        const ack = await this.ears[by].client.send(event, { callId });
        return { name, by, ack, at: Date.now() };
      }),
    );
  }

  /** Whatever any node had sent to the devices: one of the caller's devices is on each. */
  private async everythingHasArrived(): Promise<void> {
    const receivers = ROLES.map((role) => this.ears[role].client);
    for (const role of ['ender', 'callersOther'] as const)
      await barrier(this.ears[role].client, this.callee, ...receivers);
  }

  private faultsOfStories(callId: string, winner: Winner, isEndedToo: boolean): string[] {
    return ROLES.flatMap((role) => {
      const told = this.ears[role].storyOf(callId).toSorted();
      // An accept that comes too late is told so once more, unless it was that accept which found the time over.
      const story = winner === 'timeout' && role === 'accepter' ? [...new Set(told)] : told;
      const expected = storyOf(role, winner, isEndedToo).toSorted();
      return story.join() === expected.join()
        ? []
        : [`${role} was told [${story.join(', ')}] instead of [${expected.join(', ')}]`];
    });
  }

  /** The winner's own device stops with its ack, the others when they are told. */
  private stopsAfter(callId: string, answers: Answer[]): number[] {
    const stops = ROLES.map((role) => {
      const won = answers.find(({ by, ack }) => ack.ok && by === role);
      const told = this.ears[role].of(callId).find(({ event }) => STOPS.has(event));
      return won?.at ?? told?.at ?? Infinity;
    });
    const first = Math.min(...stops, ...answers.map(({ at }) => at));
    return stops.map((stop) => stop - first);
  }
}

const STOPS = new Set(['call:accept', 'call:reject', 'call:end']);

/** What a device is to be told of such a call, in any order. */
function storyOf(role: Role, winner: Winner, isEndedToo: boolean): string[] {
  const isCallers = role === 'ender' || role === 'callersOther';
  const refusal = role === 'accepter' ? [`call:end ${STATES[winner]}`] : [];
  const end = isEndedToo && role !== 'ender' ? ['call:end ended'] : [];
  switch (winner) {
    case 'accept':
      if (isCallers) return ['call:accept', ...end];
      return role === 'accepter' ? end : ['call:end answered_elsewhere', ...end];
    case 'reject':
      if (isCallers) return ['call:reject declined'];
      return role === 'rejecter' ? [] : ['call:end declined_elsewhere', ...refusal];
    case 'end':
      return role === 'ender' ? [] : ['call:end cancelled', ...refusal];
    case 'timeout':
      return ['call:end missed'];
  }
}

function faultOfLoser({ name, ack }: Answer): string[] {
  if (ack.ok || ack.error.code === 'CONFLICT') return [];
  return [`${name} got ${JSON.stringify(ack.error)}`];
}

function faultsOfStored(call: CallStatePayload['call'], status: CallState): string[] {
  const faults = call?.status === status ? [] : [`stored is ${call?.status}, should be ${status}`];
  const isAnswered = status === 'accepted' || status === 'ended';
  if ((call?.acceptedAt !== null) !== isAnswered) faults.push(`accepted at ${call?.acceptedAt}`);
  return faults;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, order: random.next() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
