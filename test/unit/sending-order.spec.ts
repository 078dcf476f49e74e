import { AppError } from '../../src/contract/errors.js';
import { KeyedQueue } from '../../src/messaging/keyed-queue.js';
import { SendingOrder } from '../../src/messaging/sending-order.js';

const FLOW = 'socket user:asha';
const away = new Error('the database is away');
const refused = expect.objectContaining({ code: 'UNAVAILABLE' });

let order: SendingOrder;
beforeEach(() => (order = new SendingOrder()));

const fail = (error: Error) => () => Promise.reject(error);
const succeed = (value: string) => () => Promise.resolve(value);

describe('SendingOrder', () => {
  it('a message whose look-up fails takes with it those that came after it, and not those of other flows', async () => {
    const queue = new KeyedQueue();
    const send = async (flow: string, step: () => Promise<string>): Promise<string> => {
      const sending = order.enter(flow);
      try {
        return await queue.run('socket', () => sending.attempt(step));
      } finally {
        sending.leave();
      }
    };
    const results = await Promise.allSettled([
      send(FLOW, succeed('1')),
      send(FLOW, fail(away)),
      send(FLOW, succeed('3')),
      send('socket user:mira', succeed('4')),
    ]);
    expect(results).toEqual([
      { status: 'fulfilled', value: '1' },
      { status: 'rejected', reason: away },
      { status: 'rejected', reason: refused },
      { status: 'fulfilled', value: '4' },
    ]);
  });

  it('what comes after the refusal is taken, also while earlier ones are under way', async () => {
    const [first, failing, after] = [order.enter(FLOW), order.enter(FLOW), order.enter(FLOW)];
    let failFirst: (error: Error) => void = () => {};
    const waiting = first.attempt(() => new Promise<string>((_, reject) => (failFirst = reject)));
    await expect(failing.attempt(fail(away))).rejects.toBe(away);
    await expect(after.attempt(succeed('after'))).rejects.toEqual(refused);
    const again = order.enter(FLOW);
    expect(await again.attempt(succeed('again'))).toBe('again');
    failFirst(away);
    await expect(waiting).rejects.toBe(away);
    await expect(again.attempt(succeed('again'))).rejects.toEqual(refused);
  });

  it('a message that is no good is not sent again, so that nothing waits for it', async () => {
    const [bad, good] = [order.enter(FLOW), order.enter(FLOW)];
    const forbidden = new AppError('FORBIDDEN', 'no');
    await expect(bad.attempt(fail(forbidden))).rejects.toBe(forbidden);
    expect(await good.attempt(succeed('good'))).toBe('good');
  });

  it('remembers nothing of a flow in which nothing is under way', async () => {
    const failing = order.enter(FLOW);
    const other = order.enter(FLOW);
    await expect(failing.attempt(fail(away))).rejects.toBe(away);
    failing.leave();
    other.leave();
    expect(order).toEqual(new SendingOrder());
  });
});
