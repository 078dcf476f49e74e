import { KeyedQueue } from './keyed-queue.js';
import { SendingOrder } from './sending-order.js';

/** Takes the messages of each socket to the database in the order in which it sent them, whatever each has to ask for before. */
export class SendingFlows {
  /** By socket: while one message waits for a look-up, a later one must not pass it. */
  private readonly inArrivalOrder = new KeyedQueue();
  private readonly sendingOrder = new SendingOrder();

  /**
   * @param flow what must keep its order within the socket when one message is refused for now: those of one recipient, or of one room
   * @param prepare looks up what is needed, and decides; one message of a socket after another
   * @param store what it came to; in this order
   * @throws AppError UNAVAILABLE when that befell an earlier message of the flow while this one was under way; and what the two throw
   */
  async send<D, R>(
    socketId: string,
    flow: string,
    prepare: () => Promise<D>,
    store: (draft: D) => Promise<R>,
  ): Promise<R> {
    const sending = this.sendingOrder.enter(`${socketId} ${flow}`);
    try {
      const draft = await this.inArrivalOrder.run(socketId, () => sending.attempt(prepare));
      return await sending.attempt(() => store(draft));
    } finally {
      sending.leave();
    }
  }
}
