import { setTimeout as wait } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { Ack } from '../../../src/contract/ack.js';
import type { Random } from '../soak/random.js';
import { type Person, tokenFor } from '../token.js';
import { until } from '../until.js';

const ASK_PATIENCE_MS = 15_000;
const RETRY_MS = 100;

/** What came in, and what was answered, is numbered in one order. */
let moments = 0;

export interface Payload {
  callId?: string;
  reason?: string;
  duration?: number;
  status?: string;
  [field: string]: unknown;
}

/** An event that came; `call:…`, the log of a call, or `error`. */
export interface Heard {
  order: number;
  /** Milliseconds since 1970. */
  at: number;
  event: string;
  payload: Payload;
}

/** Something that a device did, and what came of it. */
export interface Deed {
  event: string;
  payload: Payload;
  at: number;
  /** Both absent when the connection went before the answer came. */
  answeredAt?: number;
  ack?: Ack<Payload>;
}

/** A connection. */
export interface Visit {
  socketId: string;
  /** When the greeting came, before which it need not be told of anything; Infinity until then. */
  from: number;
  /** Infinity while it lasts. */
  to: number;
  heard: Heard[];
  deeds: Deed[];
}

/** A device of the storm: connects again and again, and keeps what it did and was told on each connection. */
export class StormDevice {
  readonly visits: Visit[] = [];
  readonly faults: string[] = [];
  private readonly known = new Set<string>();
  private readonly messages = new Set<unknown>();
  private socket: Socket | undefined;
  private visit: Visit | undefined;
  private awayMs = 0;
  private isStopped = false;
  /** Ends the wait for the end of the connection, which a socket that is not connected yet does not tell of. */
  private letGo: () => void = () => undefined;
  private living: Promise<void> | undefined;

  /** @param address where a node listens at present, if any does */
  constructor(
    readonly name: string,
    readonly person: Person,
    private readonly address: () => string | undefined,
    private readonly random: Random,
  ) {}

  get isHere(): boolean {
    return this.socket?.connected === true && (this.visit?.from ?? Infinity) < Infinity;
  }

  start(): void {
    this.living = this.live();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.letGo();
    await this.living;
  }

  /** Goes for some time, in good order or without a word. */
  leave(awayMs: number): void {
    if (!this.isHere) return;
    this.awayMs = awayMs;
    if (this.random.chance(0.5)) this.socket?.disconnect();
    else this.socket?.io.engine?.close();
  }

  /** Resolves to undefined when the answer was lost with the connection, or there was none. */
  async act(event: string, payload: Payload): Promise<Ack<Payload> | undefined> {
    const { socket, visit } = this;
    if (socket === undefined || visit === undefined || !this.isHere) return undefined;
    const deed: Deed = { event, payload, at: Date.now() };
    visit.deeds.push(deed);
    try {
      const ack = (await socket.timeout(ASK_PATIENCE_MS).emitWithAck(event, payload)) as Ack<Payload>;
      Object.assign(deed, { ack, answeredAt: Date.now() });
      this.learn(ack.ok ? ack.data.callId : undefined);
      return ack;
    } catch {
      if (socket.connected) this.faults.push(`${this.name}: ${event} was never answered`);
      return undefined;
    }
  }

  /** Resolves when the message has come, now or earlier. */
  hasMessage(id: string): Promise<void> {
    return until(() => this.messages.has(id));
  }

  /** Without asking for an answer. */
  tell(event: string, payload: Payload): void {
    if (this.isHere) this.socket?.emit(event, payload);
  }

  /** Whether it can know of the call: it was told of it, or is when it asks now. */
  async knows(callId: string): Promise<boolean> {
    if (this.known.has(callId)) return true;
    const state = await this.act('call:state', {});
    const call = state?.ok ? (state.data.call as Payload | null) : null;
    this.learn(call?.callId);
    return this.known.has(callId);
  }

  private learn(callId: string | undefined): void {
    if (callId !== undefined) this.known.add(callId);
  }

  private async live(): Promise<void> {
    const auth = { token: await tokenFor(this.person) };
    while (!this.isStopped) {
      const url = this.address();
      if (url !== undefined) await this.connect(url, auth);
      const awayMs = this.awayMs;
      this.awayMs = 0;
      if (!this.isStopped) await wait(awayMs + this.random.below(RETRY_MS));
    }
  }

  /** Resolves when the connection has ended, or was not made. */
  private async connect(url: string, auth: object): Promise<void> {
    const socket = io(url, { auth, transports: ['websocket'], forceNew: true, reconnection: false });
    this.socket = socket;
    socket.once('connect', () => this.begin(socket));
    socket.onAny((event: string, payload: Payload) => this.hear(event, payload));
    await new Promise<void>((resolve) => {
      this.letGo = resolve;
      socket.once('disconnect', () => resolve());
      socket.once('connect_error', () => resolve());
    });
    if (this.visit !== undefined) this.visit.to = Date.now();
    this.visit = undefined;
    socket.disconnect();
  }

  private begin({ id }: Socket): void {
    this.visit = { socketId: id ?? '', from: Infinity, to: Infinity, heard: [], deeds: [] };
    this.visits.push(this.visit);
  }

  private hear(event: string, payload: Payload): void {
    if (event === 'connected' && this.visit !== undefined) this.visit.from = Date.now();
    if (event === 'dm:message_received') this.messages.add(payload.id);
    if (event !== 'error' && typeof payload.callId !== 'string') return;
    moments += 1;
    this.visit?.heard.push({ order: moments, at: Date.now(), event, payload });
    this.learn(payload.callId);
  }
}
