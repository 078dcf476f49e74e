import type { Latencies } from '../support/statistics.js';

/** Whom the load generator is to connect: pairs, each with their conversation. */
export interface ConnectOrder {
  server: string;
  url: string;
  people: { conversationId: string; sides: [PersonOrder, PersonOrder] }[];
}

export interface PersonOrder {
  id: string;
  type: string;
  /** Of Socket.IO's handshake. */
  auth: object;
}

/** Either so many messages of each pair on their way at any time, or so many messages a second of all pairs together. */
export type LoadOrder = { server: string } & ({ inFlight: number } | { perSecond: number });

/** Messages acknowledged so far, and when that was (the load generator's own clock, milliseconds). */
export interface LoadCount {
  acked: number;
  at: number;
}

export interface LoadResult {
  ack: Latencies;
  /** From the sender to the recipient's connection. */
  delivery: Latencies;
  /** How often somebody received another message than the next one, since the start. */
  outOfOrder: number;
}

export interface RequestOrder {
  url: string;
  requests: { auth: object; event: string; payload: object }[];
  times: number;
}
