import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/config.js';
import { Connections } from './connections.js';
import type { RealtimeSocket } from './socket.types.js';

/** `auth:expiring` comes so long before the token runs out, in milliseconds. */
const NOTICE_MS = 60_000;
/** setTimeout takes no longer delays. */
const MAX_DELAY_MS = 2 ** 31 - 1;

interface Followed {
  socket: RealtimeSocket;
  timer?: NodeJS.Timeout;
  /** Nothing comes before `connected`. */
  isGreeted: boolean;
  isTold: boolean;
}

/**
 * Says when a connection's token is about to run out, and ends the connection when it has and the grace is over, with `auth:expired` as its last
 * event (contract §2): until then it would go on receiving what is sent to its identity. One timer for each socket.
 */
@Injectable()
export class TokenExpiry {
  private readonly followed = new Map<string, Followed>();
  private readonly graceMs: number;

  constructor({ auth }: AppConfig, connections: Connections) {
    this.graceMs = auth.expiryGraceMs;
    connections.onGreeted(({ socketId }) => {
      const followed = this.followed.get(socketId);
      if (followed === undefined) return;
      followed.isGreeted = true;
      this.next(followed);
    });
  }

  /** To be called once for each socket that is let in. */
  follow(socket: RealtimeSocket): void {
    if (socket.data.expiresAt === null) return;
    const followed: Followed = { socket, isGreeted: false, isTold: false };
    this.followed.set(socket.id, followed);
    socket.once('disconnect', () => {
      clearTimeout(followed.timer);
      this.followed.delete(socket.id);
    });
    this.next(followed);
  }

  /**
   * A fresh token never shortens the time.
   * @param expiresAt epoch milliseconds; null: never
   * @returns when the socket's token runs out now
   */
  extend(socketId: string, expiresAt: number | null): number | null {
    const followed = this.followed.get(socketId);
    // Its token never runs out, or it has gone meanwhile.
    if (followed === undefined) return null;
    const { data } = followed.socket;
    if (expiresAt !== null && expiresAt <= (data.expiresAt ?? Infinity)) return data.expiresAt;
    data.expiresAt = expiresAt;
    followed.isTold = false;
    this.next(followed);
    return expiresAt;
  }

  /** Does what is due, and comes back when the next thing is. */
  private next(followed: Followed): void {
    const { socket, isGreeted } = followed;
    const { expiresAt } = socket.data;
    clearTimeout(followed.timer);
    if (expiresAt === null) return;
    const [noticeAt, endAt] = [expiresAt - NOTICE_MS, expiresAt + this.graceMs];
    const now = Date.now();
    if (now >= endAt) return end(socket, expiresAt);
    if (isGreeted && !followed.isTold && now >= noticeAt) {
      followed.isTold = true;
      socket.emit('auth:expiring', { expiresAt });
    }
    const due = isGreeted && !followed.isTold ? noticeAt : endAt;
    followed.timer = setTimeout(() => this.next(followed), Math.min(due - now, MAX_DELAY_MS));
  }
}

function end(socket: RealtimeSocket, expiresAt: number): void {
  socket.emit('auth:expired', { expiresAt });
  socket.disconnect(true);
}
