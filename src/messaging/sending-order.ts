import { AppError, ERROR_CODES } from '../contract/errors.js';
import { notStored } from './append-line.js';

/** Messages of one flow that wait on this node; more are refused at once. */
const MAX_UNDER_WAY = 500;
/** A message that has not been prepared by then is refused: its sender has been told so, or is about to be. Milliseconds. */
const MAX_WAIT_MS = 4000;

/** What is under way of one sender's socket in one conversation. */
interface Flow {
  underWay: number;
  /** Counts those that may yet be stored, by another try. */
  refusals: number;
}

/**
 * Keeps one refusal from changing the order: when a message cannot be stored, those of its flow that came after it and are not on their
 * way to the database yet are refused, too. Their sender sends all of them again, in order.
 */
export class SendingOrder {
  private readonly flows = new Map<string, Flow>();

  /**
   * To be called when a message comes in; `leave` must be called when it is answered.
   * @param key of the flow, whose messages must be stored in the order in which they come in
   * @throws AppError UNAVAILABLE when too many of the flow are under way
   */
  enter(key: string): Sending {
    let flow = this.flows.get(key);
    if (flow === undefined) this.flows.set(key, (flow = { underWay: 0, refusals: 0 }));
    if (flow.underWay >= MAX_UNDER_WAY) throw notStored();
    flow.underWay += 1;
    return new Sending(flow, () => this.flows.delete(key));
  }
}

/** One message on its way. */
export class Sending {
  private readonly refusalsBefore: number;
  private readonly enteredAt = Date.now();

  constructor(
    private readonly flow: Flow,
    private readonly forgetFlow: () => void,
  ) {
    this.refusalsBefore = flow.refusals;
  }

  /**
   * Runs a step, unless a message that came in earlier has been refused since this one came in.
   * @throws AppError UNAVAILABLE then; and what `step` throws
   */
  async attempt<T>(step: () => Promise<T>): Promise<T> {
    try {
      const isLate = Date.now() - this.enteredAt > MAX_WAIT_MS;
      if (isLate || this.flow.refusals !== this.refusalsBefore) throw notStored();
      return await step();
    } catch (error) {
      if (mayComeAgain(error)) this.flow.refusals += 1;
      throw error;
    }
  }

  leave(): void {
    this.flow.underWay -= 1;
    if (this.flow.underWay === 0) this.forgetFlow();
  }
}

/** Whoever is told that a message is no good does not send it again, so nothing has to wait for it. */
function mayComeAgain(error: unknown): boolean {
  return !(error instanceof AppError) || ERROR_CODES[error.code].retryable;
}
