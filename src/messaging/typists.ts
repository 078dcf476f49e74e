import type { OnApplicationShutdown } from '@nestjs/common';
import type { TypingPayload } from '../contract/typing.js';
import { type Identity, type Party, partyKey, partyOf } from '../contract/identity.js';
import type { Connections } from '../realtime/connections.js';
import type { EmitterService } from '../realtime/emitter.service.js';
import { KeyedQueue } from './keyed-queue.js';
import type { TypingTimes } from './typing-times.js';

/** Nobody types in so many conversations at once; further ones are dropped. Bounds the memory by the number of sockets. */
const MAX_CONVERSATIONS_PER_SOCKET = 20;

/** Who may type in one kind of conversations, and who is told. */
export interface TypingRules {
  /**
   * Whether the others are to be told that the user types. False: in silence not.
   * @throws AppError to those who may not know of the conversation, or not type in it
   */
  mayTell: (user: Identity, conversationId: string) => Promise<boolean>;
  /** @throws AppError as `mayTell` */
  assertTakesPart: (user: Identity, conversationId: string) => Promise<void>;
  /** Tells those who have the conversation open, but no device of the typist. */
  tell: (typist: Party, payload: TypingPayload, isTyping: boolean) => void;
}

/** Somebody who types in a conversation, on one or several devices. Times are `performance.now()`. */
interface Typist {
  key: string;
  party: Party;
  payload: TypingPayload;
  /** By socket: when its typing lapses. Never empty. */
  lapses: Map<string, number>;
  /** When the others were last told. */
  announcedAt: number;
  timer: NodeJS.Timeout;
}

/**
 * Who is typing, in one kind of conversations (contract §3). In this node's memory alone, on purpose: it is worth nothing after 6 s, so when
 * a node dies no stop is sent, and clients let typing lapse by themselves. Someone who types on two nodes is two typists.
 *
 * The rules are asked before the others are told, at most every 3 s. One timer for each typist, none for a key stroke.
 */
export class Typists implements OnApplicationShutdown {
  private readonly typists = new Map<string, Typist>();
  /** Keys of typists, by socket. */
  private readonly bySocket = new Map<string, Set<string>>();
  /** By typist: a stop must not pass the start before it. */
  private readonly inArrivalOrder = new KeyedQueue();

  constructor(
    private readonly times: TypingTimes,
    private readonly emitter: EmitterService,
    private readonly rules: TypingRules,
    connections: Connections,
  ) {
    connections.onDeparture(({ socketId }) => this.depart(socketId));
  }

  /**
   * To be repeated while typing goes on; more often than needed costs nothing. Dropped in silence: repeats within 3 s, and what the rules
   * do not tell of.
   * @throws AppError as the rules say; UNAVAILABLE
   */
  start(user: Identity, socketId: string, conversationId: string): Promise<void> {
    const key = typistKey(partyOf(user), conversationId);
    return this.inArrivalOrder.run(key, async () => {
      const typist = this.typists.get(key);
      if (typist === undefined || this.isDue(typist)) {
        await this.startOrRepeat(user, socketId, conversationId, key);
      } else if (this.hasRoomFor(socketId, key)) this.renew(typist, socketId);
    });
  }

  /**
   * Ends the caller's typing when no other device of theirs goes on. A stop without a start says nothing to anyone.
   * @throws AppError as `start`
   */
  stop(user: Identity, socketId: string, conversationId: string): Promise<void> {
    const key = typistKey(partyOf(user), conversationId);
    return this.inArrivalOrder.run(key, async () => {
      const typist = this.typists.get(key);
      if (typist === undefined) await this.rules.assertTakesPart(user, conversationId);
      else this.leave(typist, socketId);
    });
  }

  /** To be called when a message of theirs was sent: whoever sent it, on whichever device, types no more. No round trip. */
  stopFor(user: Party, conversationId: string): void {
    if (this.typists.size === 0) return;
    const typist = this.typists.get(typistKey(partyOf(user), conversationId));
    if (typist !== undefined) this.end(typist);
  }

  onApplicationShutdown(): void {
    for (const { timer } of this.typists.values()) clearTimeout(timer);
    this.typists.clear();
  }

  private async startOrRepeat(
    user: Identity,
    socketId: string,
    conversationId: string,
    key: string,
  ): Promise<void> {
    const mayTell = await this.rules.mayTell(user, conversationId);
    // Looked up only now: all of it may have changed while the database was asked.
    const known = this.typists.get(key);
    if (!mayTell) {
      if (known !== undefined) this.end(known);
      return;
    }
    if (!this.emitter.isConnected(socketId) || !this.hasRoomFor(socketId, key)) return;
    const typist = known ?? this.begin(user, conversationId, key);
    this.renew(typist, socketId);
    typist.announcedAt = performance.now();
    this.rules.tell(typist.party, typist.payload, true);
  }

  private begin(user: Identity, conversationId: string, key: string): Typist {
    const party = partyOf(user);
    const userName = user.type === 'admin' && user.name === '' ? 'Admin' : user.name;
    const typist: Typist = {
      key,
      party,
      payload: { conversationId, userId: party.id, userType: party.type, userName },
      lapses: new Map(),
      announcedAt: -Infinity,
      timer: setTimeout(() => this.lapse(typist), this.times.lapseMs).unref(),
    };
    this.typists.set(key, typist);
    return typist;
  }

  /** The timer is not moved: when it fires it looks how far typing was renewed. */
  private renew({ key, lapses }: Typist, socketId: string): void {
    lapses.set(socketId, performance.now() + this.times.lapseMs);
    const keys = this.bySocket.get(socketId);
    if (keys === undefined) this.bySocket.set(socketId, new Set([key]));
    else keys.add(key);
  }

  private hasRoomFor(socketId: string, key: string): boolean {
    const keys = this.bySocket.get(socketId);
    return keys === undefined || keys.size < MAX_CONVERSATIONS_PER_SOCKET || keys.has(key);
  }

  private isDue({ announcedAt }: Typist): boolean {
    return performance.now() - announcedAt >= this.times.repeatMs;
  }

  private lapse(typist: Typist): void {
    const now = performance.now();
    const last = Math.max(...typist.lapses.values());
    if (last <= now) return this.end(typist);
    typist.timer = setTimeout(() => this.lapse(typist), last - now).unref();
  }

  private leave(typist: Typist, socketId: string): void {
    if (!typist.lapses.has(socketId)) return;
    if (typist.lapses.size === 1) return this.end(typist);
    typist.lapses.delete(socketId);
    this.forget(socketId, typist.key);
  }

  private end(typist: Typist): void {
    clearTimeout(typist.timer);
    this.typists.delete(typist.key);
    for (const socketId of typist.lapses.keys()) this.forget(socketId, typist.key);
    this.rules.tell(typist.party, typist.payload, false);
  }

  private forget(socketId: string, key: string): void {
    const keys = this.bySocket.get(socketId);
    keys?.delete(key);
    if (keys?.size === 0) this.bySocket.delete(socketId);
  }

  private depart(socketId: string): void {
    for (const key of this.bySocket.get(socketId) ?? []) {
      const typist = this.typists.get(key);
      if (typist !== undefined) this.leave(typist, socketId);
    }
  }
}

function typistKey(party: Party, conversationId: string): string {
  return `${partyKey(party)} ${conversationId}`;
}
