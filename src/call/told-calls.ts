import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { CallState } from '../contract/call.js';
import type { Call } from './call.schema.js';

const REMEMBERED_CALLS = 10_000;
/** Longer than a device that has just come waits to be looked at, however slow the database is. */
const MEMORY_MS = 60_000;

interface Telling {
  status: CallState;
  /** When it was told of something that was enough by itself; by `performance.now()`. */
  at: number;
}

/**
 * What this node told the parties of a call last, so that nobody hears it twice without need. Lost with the process, and nothing of what other
 * nodes told: devices then hear it twice, never not at all.
 */
@Injectable()
export class ToldCalls {
  private readonly tellings = new LRUCache<string, Telling>({ max: REMEMBERED_CALLS, ttl: MEMORY_MS });

  /** All sockets that the parties have here have just been told. */
  note({ _id, status }: Call): void {
    const callId = _id.toHexString();
    // That the other one is connected says nothing to a device that has not heard of the answer.
    const at = status === 'connected' ? (this.tellings.peek(callId)?.at ?? -Infinity) : performance.now();
    this.tellings.set(callId, { status, at });
  }

  /** Whether a socket that is here since `time`, by `performance.now()`, has heard of the call by itself. */
  wasToldSince({ _id }: Call, time: number): boolean {
    return (this.tellings.get(_id.toHexString())?.at ?? -Infinity) >= time;
  }

  /** Whether the call's state is the last that this node told. */
  wasTold({ _id, status }: Call): boolean {
    return this.tellings.get(_id.toHexString())?.status === status;
  }
}
