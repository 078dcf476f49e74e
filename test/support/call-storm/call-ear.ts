import type { TestClient } from '../client.js';

/** Something that a device was told of a call. */
export interface Heard {
  /** Milliseconds since 1970. */
  at: number;
  event: string;
  /** Of a `call:end` or `call:reject`. */
  reason?: string;
}

type CallWord = { callId?: unknown; reason?: string };

/** Keeps what a device is told of calls, and when. */
export class CallEar {
  private readonly heard = new Map<string, Heard[]>();

  constructor(readonly client: TestClient) {
    client.socket.onAny((event: string, payload?: CallWord) => {
      if (typeof payload?.callId !== 'string' || !event.startsWith('call:')) return;
      const { callId, reason } = payload;
      const entry = { at: Date.now(), event, ...(reason !== undefined && { reason }) };
      this.heard.set(callId, [...this.of(callId), entry]);
    });
  }

  /** Oldest first. */
  of(callId: string): Heard[] {
    return this.heard.get(callId) ?? [];
  }

  /** What it was told after its ring, or its token, in words: `call:end missed`. */
  storyOf(callId: string): string[] {
    return this.of(callId)
      .filter(({ event }) => event !== 'call:incoming' && event !== 'call:token')
      .map(({ event, reason }) => (reason === undefined ? event : `${event} ${reason}`));
  }
}
