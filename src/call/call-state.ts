import type { CallLogStatus, CallState } from '../contract/call.js';

/** What can happen to a call. */
export const CALL_EVENTS = [
  'ring',
  'accept',
  'reject',
  'connect',
  'end',
  'ring-timeout',
  'party-gone',
  'media-lapsed',
  'fail',
] as const;

export type CallEvent = (typeof CALL_EVENTS)[number];

/** Who makes it happen; `server` is its clock and its deadlines. */
export const CALL_ACTORS = ['caller', 'callee', 'server'] as const;

export type CallActor = (typeof CALL_ACTORS)[number];

export type CallParty = Exclude<CallActor, 'server'>;

type Transitions = Partial<Record<CallEvent, Partial<Record<CallActor, CallState>>>>;

const BY_SERVER = (to: CallState) => ({ server: to });
const BY_BOTH = (to: CallState) => ({ caller: to, callee: to });

/** Contract §4: the states, and the only ways between them. A state without an entry is final. */
const TABLE: Partial<Record<CallState, Transitions>> = {
  initiated: { ring: BY_SERVER('ringing'), fail: BY_SERVER('failed') },
  ringing: {
    accept: { callee: 'accepted' },
    reject: { callee: 'rejected' },
    // Who is rung and hangs up has declined.
    end: { caller: 'cancelled', callee: 'rejected' },
    'ring-timeout': BY_SERVER('missed'),
    'party-gone': BY_SERVER('cancelled'),
    fail: BY_SERVER('failed'),
  },
  accepted: {
    connect: BY_BOTH('connected'),
    end: BY_BOTH('ended'),
    'party-gone': BY_SERVER('ended'),
    'media-lapsed': BY_SERVER('ended'),
  },
  connected: {
    end: BY_BOTH('ended'),
    'party-gone': BY_SERVER('ended'),
    'media-lapsed': BY_SERVER('ended'),
  },
};

/** The states in which the parties are occupied with the call. */
export const OPEN_STATES: readonly CallState[] = ['initiated', 'ringing', 'accepted', 'connected'];

/** Where the event takes the call; undefined when it cannot happen in this state, or not by this actor. */
export function nextState(state: CallState, event: CallEvent, actor: CallActor): CallState | undefined {
  return TABLE[state]?.[event]?.[actor];
}

/** Whether the actor may do this at all, in whatever state: the difference between FORBIDDEN and CONFLICT. */
export function mayEver(actor: CallActor, event: CallEvent): boolean {
  return Object.values(TABLE).some((transitions) => transitions[event]?.[actor] !== undefined);
}

export function isFinal(state: CallState): boolean {
  return !OPEN_STATES.includes(state);
}

/** In a call: each talks, or is about to. */
export function isAnswered(state: CallState): boolean {
  return state === 'accepted' || state === 'connected';
}

/** How a finished call stands in the conversation; a call that met a busy callee, or that failed, was missed. */
export function logStatusOf(state: CallState, endReason: string | undefined): CallLogStatus {
  switch (state) {
    case 'ended':
      return 'completed';
    case 'cancelled':
      return 'cancelled';
    case 'rejected':
      return endReason === 'busy' ? 'missed' : 'declined';
    default:
      return 'missed';
  }
}
