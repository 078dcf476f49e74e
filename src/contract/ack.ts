import type { ErrorBody } from './errors.js';

/** What every acknowledgement callback gets, exactly once (contract §1). */
export type Ack<T = object> = { ok: true; data: T } | { ok: false; error: ErrorBody };

/** The `error` event: a failure that nobody asked to have acknowledged. */
export interface ErrorEvent extends ErrorBody {
  event: string;
}
