import type { SoakMessage } from '../support/soak/driver.js';
import type { Outgoing, Try } from '../support/soak/outbox.js';
import { overtakings } from '../support/soak/sending-order.js';

const START = Date.parse('2026-01-01T00:00:00Z');

/** A try, in words: `number socket sentAt answer`. */
function tryOf(words: string): Try {
  const [number, socketId = '', sentAt, answer] = words.split(' ');
  return {
    number: Number(number),
    socketId,
    address: 'localhost:1',
    sentAt: START + Number(sentAt),
    ...(answer && { answer, answeredAt: START + Number(sentAt) + 1 }),
  };
}

function message(name: string, seq: number, takenAt: number, tries: string[]): Outgoing {
  const timestamp = new Date(START + takenAt).toISOString();
  return {
    clientMessageId: name,
    conversationId: 'user_asha_ravi',
    content: name,
    event: 'dm:send_message',
    payload: {},
    acked: { seq, timestamp } as SoakMessage,
    tries: tries.map(tryOf),
  };
}

const reasons = (...written: Outgoing[]): boolean[] => overtakings(written).map(({ hasReason }) => hasReason);

describe('how the soak judges the order of one device', () => {
  it('what is in order is no matter, whatever was tried', () => {
    expect(
      reasons(message('a', 1, 12, ['1 s1 0', '3 s2 10 ok']), message('b', 2, 12, ['2 s1 1', '4 s2 10 ok'])),
    ).toEqual([]);
  });

  it.each([
    ['both were accepted on one socket', ['1 s1 0 ok'], 1, ['2 s1 1 ok'], 2],
    [
      'both were stored at the first try, and found by the second',
      ['1 s1 0', '3 s2 10 ok'],
      1,
      ['2 s1 1', '4 s2 10 ok'],
      2,
    ],
    ['it was repeated after it was accepted', ['1 s1 0 ok', '3 s1 10 ok'], 10, ['2 s1 5 ok'], 6],
    [
      'it was refused, but on a socket on which the successor was not tried',
      ['1 s1 0 UNAVAILABLE', '2 s2 5 ok', '4 s3 20 ok'],
      25,
      ['3 s2 6 ok'],
      7,
    ],
    [
      'the successor can only come from a try after its own second one',
      ['1 s1 0 UNAVAILABLE', '3 s2 10 ok'],
      11,
      ['4 s2 10 ok'],
      11,
    ],
  ])('a fault: %s', (_, tries, takenAt, successorTries, successorTakenAt) => {
    const written = [message('a', 2, takenAt, tries), message('b', 1, successorTakenAt, successorTries)];
    expect(reasons(...written)).toEqual([false]);
  });

  it.each([
    [
      'it was refused where the successor was accepted',
      ['1 s1 0 UNAVAILABLE', '3 s1 200 ok'],
      201,
      ['2 s1 1 ok'],
      1,
    ],
    [
      'its answer was lost where the successor was accepted',
      ['1 s1 0', '3 s2 200 ok'],
      201,
      ['2 s1 1 ok'],
      1,
    ],
    [
      'both answers were lost, and the successor is of the first socket',
      ['1 s1 0', '3 s2 200 ok'],
      201,
      ['2 s1 1', '4 s2 200 ok'],
      1,
    ],
  ])('no fault: %s', (_, tries, takenAt, successorTries, successorTakenAt) => {
    const written = [message('a', 2, takenAt, tries), message('b', 1, successorTakenAt, successorTries)];
    expect(reasons(...written)).toEqual([true]);
  });

  it('each message is judged against every successor that is before it', () => {
    const written = [
      message('a', 3, 201, ['1 s1 0 UNAVAILABLE', '4 s1 200 ok']),
      message('b', 1, 2, ['2 s1 1 ok']),
      message('c', 2, 202, ['5 s1 200 ok']),
    ];
    expect(reasons(...written)).toEqual([true, false]);
  });
});
