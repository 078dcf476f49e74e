import {
  CALL_ACTORS,
  CALL_EVENTS,
  type CallActor,
  type CallEvent,
  isAnswered,
  isFinal,
  logStatusOf,
  mayEver,
  nextState,
  OPEN_STATES,
} from '../../src/call/call-state.js';
import { CALL_STATES, type CallLogStatus, type CallState } from '../../src/contract/call.js';

/** All that may happen to a call, and nothing else may: from, event, actor, to. */
const EXPECTED: [CallState, CallEvent, CallActor, CallState][] = [
  ['initiated', 'ring', 'server', 'ringing'],
  ['initiated', 'fail', 'server', 'failed'],
  ['ringing', 'accept', 'callee', 'accepted'],
  ['ringing', 'reject', 'callee', 'rejected'],
  ['ringing', 'end', 'caller', 'cancelled'],
  ['ringing', 'end', 'callee', 'rejected'],
  ['ringing', 'ring-timeout', 'server', 'missed'],
  ['ringing', 'party-gone', 'server', 'cancelled'],
  ['ringing', 'fail', 'server', 'failed'],
  ['accepted', 'connect', 'caller', 'connected'],
  ['accepted', 'connect', 'callee', 'connected'],
  ['accepted', 'end', 'caller', 'ended'],
  ['accepted', 'end', 'callee', 'ended'],
  ['accepted', 'party-gone', 'server', 'ended'],
  ['accepted', 'media-lapsed', 'server', 'ended'],
  ['connected', 'end', 'caller', 'ended'],
  ['connected', 'end', 'callee', 'ended'],
  ['connected', 'party-gone', 'server', 'ended'],
  ['connected', 'media-lapsed', 'server', 'ended'],
];

const FINAL = new Set<CallState>(['ended', 'rejected', 'missed', 'cancelled', 'failed']);

/** Every state, event and actor, with what the table is to say. */
const everything = CALL_STATES.flatMap((state) =>
  CALL_EVENTS.flatMap((event) =>
    CALL_ACTORS.map((actor) => {
      const row = EXPECTED.find(([from, what, who]) => from === state && what === event && who === actor);
      return { state, event, actor, to: row?.[3] };
    }),
  ),
);

describe('the states of a call', () => {
  it('change as the contract says, and in no other way', () => {
    const actual = everything.map(({ state, event, actor }) => ({
      state,
      event,
      actor,
      to: nextState(state, event, actor),
    }));
    expect(actual).toEqual(everything);
    expect(actual.filter(({ to }) => to !== undefined)).toHaveLength(EXPECTED.length);
  });

  it('are final exactly when there is no way out of them', () => {
    const withoutExit = CALL_STATES.filter((state) =>
      everything.every(({ event, actor }) => nextState(state, event, actor) === undefined),
    );
    expect(withoutExit).toEqual(CALL_STATES.filter((state) => FINAL.has(state)));
    expect(CALL_STATES.filter(isFinal)).toEqual(withoutExit);
    expect(CALL_STATES.filter((state) => !isFinal(state))).toEqual(OPEN_STATES);
  });

  it('can all be reached but the first one, to which nothing leads back', () => {
    const reached = new Set<CallState>();
    const look = (state: CallState): void => {
      for (const { event, actor } of everything) {
        const to = nextState(state, event, actor);
        if (to === undefined || reached.has(to)) continue;
        reached.add(to);
        look(to);
      }
    };
    look('initiated');
    expect(CALL_STATES.filter((state) => !reached.has(state))).toEqual(['initiated']);
  });

  it('are answered from the accept to the end', () => {
    expect(CALL_STATES.filter(isAnswered)).toEqual(['accepted', 'connected']);
  });
});

it('who may never do something is told from who may not do it now', () => {
  const may = CALL_ACTORS.flatMap((actor) =>
    CALL_EVENTS.filter((event) => mayEver(actor, event)).map((event) => `${actor} ${event}`),
  );
  expect(may).toEqual([
    'caller connect',
    'caller end',
    'callee accept',
    'callee reject',
    'callee connect',
    'callee end',
    'server ring',
    'server ring-timeout',
    'server party-gone',
    'server media-lapsed',
    'server fail',
  ]);
});

it.each<[CallState, string | undefined, CallLogStatus]>([
  ['ended', 'ended', 'completed'],
  ['ended', 'network_error', 'completed'],
  // A party may say so of its own, and has talked all the same.
  ['ended', 'busy', 'completed'],
  ['cancelled', 'cancelled', 'cancelled'],
  ['cancelled', 'busy', 'cancelled'],
  ['rejected', 'declined', 'declined'],
  ['rejected', undefined, 'declined'],
  ['rejected', 'busy', 'missed'],
  ['missed', 'missed', 'missed'],
  ['failed', undefined, 'missed'],
])('a call that is %s (%s) stands in the conversation as %s', (state, endReason, expected) => {
  expect(logStatusOf(state, endReason)).toBe(expected);
});
