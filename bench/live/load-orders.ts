import type { Latencies } from '../support/statistics.js';

/** Who is to watch a stream: each of `auths` is one connection, by what Socket.IO's handshake gets. */
export interface CrowdOrder {
  url: string;
  streamId: string;
  auths: object[];
  /** So many at a time connect and join. */
  atOnce: number;
}

/** Viewers who stay, and moderators who watch, too, and write. */
export interface AudienceOrder extends CrowdOrder {
  server: string;
  writers: object[];
}

/**
 * Comments. Without `perSecond` each writer keeps one on its way: the next comes when all who watch in this process have the one before, so that
 * nothing piles up.
 */
export interface FloodOrder {
  server: string;
  perSecond?: number;
}

/** So far; `at` by the load generator's own clock, milliseconds. */
export interface FloodCount {
  deliveries: number;
  at: number;
}

export interface FloodResult {
  /** From when a comment was due until everybody of this process had it. */
  everywhere: Latencies;
  /** Of one comment as it is sent, without the WebSocket's header. */
  bytes: number;
}

/** What an audience has seen of the stream. */
export interface Seen {
  comments: number;
  /** Of all texts in their order: the same for all audiences of a stream. */
  digest: string;
}
