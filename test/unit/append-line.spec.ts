import { jest } from '@jest/globals';
import { Types } from 'mongoose';
import { AppendLine } from '../../src/messaging/append-line.js';
import type { Draft, StoredMessage } from '../../src/messaging/stored-message.js';

const START = Date.parse('2026-01-01T00:00:00Z');
const REFUSED = { status: 'rejected', reason: expect.objectContaining({ code: 'UNAVAILABLE' }) };

let line: AppendLine<StoredMessage>;
beforeEach(() => {
  jest.useFakeTimers({ now: START });
  line = new AppendLine('user_asha_ravi');
});
afterEach(() => jest.useRealTimers());

const later = (ms: number): unknown => jest.setSystemTime(Date.now() + ms);
const never = (): void => expect('delivered').toBe('not stored');

function append(clientMessageId: string, senderId = 'asha'): Promise<PromiseSettledResult<unknown>> {
  const sender = { senderId, senderType: senderId === 'ravi' ? 'astrologer' : 'user' } as const;
  const draft: Draft<StoredMessage> = {
    _id: new Types.ObjectId(),
    conversationId: line.conversationId,
    ...sender,
    clientMessageId,
    timestamp: new Date(),
  };
  return Promise.allSettled([line.append(draft, never)]).then(([result]) => result);
}

const taken = (): (string | undefined)[] => line.next(100).map(({ draft }) => draft.clientMessageId);

describe('AppendLine', () => {
  it('refuses what has waited for more than 4 s, and with it what its sender sent after it', async () => {
    const old = append('1');
    later(3000);
    const young = append('2');
    const other = append('3', 'ravi');
    later(1001);
    expect(taken()).toEqual(['3']);
    expect(await Promise.all([old, young])).toEqual([REFUSED, REFUSED]);
    void other;
  });

  it('keeps what the sender sent before', () => {
    void append('1');
    later(3000);
    void append('2', 'ravi');
    void append('3');
    later(500);
    void append('1');
    later(3600);
    // Asked for again after 3.5 s, 1 has waited for 3.6 s; 2 and 3 for 4.1 s.
    expect(taken()).toEqual(['1']);
  });

  it('does not refuse, for the age of its first try, what is sent again', async () => {
    const first = append('1');
    later(3000);
    void append('2');
    later(900);
    const again = append('1');
    later(200);
    const [entry] = line.next(1);
    expect(entry?.draft.clientMessageId).toBe('1');
    if (entry !== undefined) line.settle(entry, entry.draft as StoredMessage, false);
    expect((await first).status).toBe('fulfilled');
    expect(await again).toMatchObject({ status: 'fulfilled', value: { isNew: false } });
    expect(taken()).toEqual(['2']);
  });

  it('takes all in their order while nothing is late', () => {
    for (const id of ['1', '2', '3']) void append(id);
    later(4000);
    expect(line.next(2).map(({ draft }) => draft.clientMessageId)).toEqual(['1', '2']);
    expect(taken()).toEqual(['3']);
  });
});
