import { CallTimes } from '../../src/call/call-times.js';
import { tokenDeadline } from '../../src/call/token-deadline.js';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const START = Date.parse('2026-11-22T10:00:00.000Z');

/** So many milliseconds after the start. */
const at = (milliseconds: number): Date => new Date(START + milliseconds);

interface Expiries {
  caller?: number;
  callee?: number;
  notedUntil?: number;
}

function deadlineOf({ caller, callee, notedUntil }: Expiries, ttlMs = HOUR) {
  return tokenDeadline(
    {
      ...(caller !== undefined && { callerTokenExpiresAt: at(caller) }),
      ...(callee !== undefined && { calleeTokenExpiresAt: at(callee) }),
      ...(notedUntil !== undefined && { tokensNotedUntil: at(notedUntil) }),
    },
    ttlMs,
    new CallTimes(),
  );
}

describe('the deadline of a call’s tokens', () => {
  it('is none as long as there are no tokens', () => {
    expect(deadlineOf({})).toBeUndefined();
    expect(deadlineOf({ notedUntil: HOUR })).toBeUndefined();
  });

  it('is the notice, 2 minutes before the first of them runs out', () => {
    expect(deadlineOf({ caller: HOUR, callee: HOUR })).toEqual({
      kind: 'notice',
      at: at(HOUR - 2 * MINUTE),
      expiresAt: at(HOUR),
    });
    expect(deadlineOf({ caller: 2 * HOUR, callee: HOUR })).toMatchObject({ expiresAt: at(HOUR) });
    expect(deadlineOf({ caller: HOUR, callee: 2 * HOUR })).toMatchObject({ expiresAt: at(HOUR) });
    expect(deadlineOf({ callee: HOUR })).toMatchObject({ expiresAt: at(HOUR) });
  });

  it('comes halfway through the life of tokens that live less than 4 minutes', () => {
    expect(deadlineOf({ caller: 3 * MINUTE }, 3 * MINUTE)).toMatchObject({ at: at(1.5 * MINUTE) });
    expect(deadlineOf({ caller: 4 * MINUTE }, 4 * MINUTE)).toMatchObject({ at: at(2 * MINUTE) });
    expect(deadlineOf({ caller: 5 * MINUTE }, 5 * MINUTE)).toMatchObject({ at: at(3 * MINUTE) });
  });

  it('is about the next token when the parties were told of the first', () => {
    expect(deadlineOf({ caller: HOUR, callee: HOUR + 1, notedUntil: HOUR })).toEqual({
      kind: 'notice',
      at: at(HOUR + 1 - 2 * MINUTE),
      expiresAt: at(HOUR + 1),
    });
  });

  it('is the end of the call, a minute after the last one, when they were told of all', () => {
    const end = { kind: 'lapse', at: at(2 * HOUR + MINUTE) };
    expect(deadlineOf({ caller: HOUR, callee: 2 * HOUR, notedUntil: 2 * HOUR })).toEqual(end);
    expect(deadlineOf({ caller: 2 * HOUR, callee: HOUR, notedUntil: 3 * HOUR })).toEqual(end);
  });

  it('goes back to a notice when a party got a fresh one after that', () => {
    expect(deadlineOf({ caller: HOUR, callee: 2 * HOUR, notedUntil: HOUR })).toEqual({
      kind: 'notice',
      at: at(2 * HOUR - 2 * MINUTE),
      expiresAt: at(2 * HOUR),
    });
  });
});
