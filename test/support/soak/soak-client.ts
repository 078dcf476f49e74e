import { setTimeout as wait } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { Ack } from '../../../src/contract/ack.js';
import type { MessagesReadPayload } from '../../../src/contract/direct-message.js';
import { type Person, tokenFor } from '../token.js';
import { CatchUp } from './catch-up.js';
import { ConversationView } from './conversation-view.js';
import type { Ask, SoakDriver, SoakMessage } from './driver.js';
import type { MarkLedger } from './mark-ledger.js';
import { Outbox } from './outbox.js';
import { isSame, type Talk } from './people.js';
import type { Random } from './random.js';
import { Reader } from './reader.js';

const ASK_PATIENCE_MS = 10_000;
const RETRY_MS = 200;
/** A device that was dropped is away for up to this long, and now and then for three times as long. */
const AWAY_MS = 800;

export interface DeviceSettings {
  name: string;
  driver: SoakDriver;
  person: Person;
  talks: Talk[];
  /** Whether it joins the rooms of its conversations after every `connected`. */
  joinsRooms: boolean;
  /** So many messages may wait for their acks before it writes no more. */
  maxUnacked: number;
  /** Of several nodes: messages of two of them may pass each other on their way. */
  hasSeveralNodes: boolean;
  random: Random;
  ledger: MarkLedger;
  /** Where a server listens at present, if any does. */
  address: () => string | undefined;
}

/** A device that keeps to docs/events.md: sends until acknowledged, keeps messages by seq, catches up after every `connected` and on gaps. */
export class SoakClient {
  readonly views = new Map<string, ConversationView>();
  readonly outbox: Outbox;
  readonly faults: string[] = [];
  connects = 0;
  private readonly catchUp: CatchUp;
  private readonly reader: Reader;
  private socket: Socket | undefined;
  /** A connection on which what was left unsent has gone out: only then may new messages follow. */
  private ready: Socket | undefined;
  private caughtUpOn: Socket | undefined;
  private isStopped = false;
  private living: Promise<void> | undefined;

  constructor(readonly settings: DeviceSettings) {
    const { name, driver, person, talks, ledger, random, hasSeveralNodes } = settings;
    const complain = (fault: string): void => this.complain(`${name}: ${fault}`);
    for (const talk of talks) this.views.set(talk.conversationId, new ConversationView(talk, complain));
    this.catchUp = new CatchUp(driver, this.views, hasSeveralNodes ? 60_000 : 0, complain);
    this.reader = new Reader(driver, person, ledger, random, complain);
    this.outbox = new Outbox(
      name,
      driver.messageOf,
      (message) => this.views.get(message.conversationId)?.keep(message),
      complain,
    );
  }

  /** Nothing waits for an ack, and it has caught up on the connection that it has. */
  get isSettled(): boolean {
    return this.outbox.waiting === 0 && this.socket?.connected === true && this.caughtUpOn === this.socket;
  }

  start(): void {
    this.living = this.live();
  }

  /** Ends the connection for good. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.socket?.disconnect();
    await this.living;
  }

  /** Loses the connection without a word, as in a tunnel. */
  drop(): void {
    const transport = this.socket?.io.engine?.transport as { ws?: { terminate?: () => void } } | undefined;
    if (transport?.ws?.terminate !== undefined) transport.ws.terminate();
    else this.socket?.disconnect();
  }

  /** Writes a message, moves a mark, or repeats what was sent before. */
  act(): void {
    const { random, talks } = this.settings;
    const socket = this.ready?.connected ? this.ready : undefined;
    const talk = random.pick(talks);
    const view = this.views.get(talk.conversationId);
    if (random.chance(0.3)) {
      if (socket !== undefined && view !== undefined)
        void this.reader.markSomething(view, this.askOn(socket)).catch(() => {});
    } else if (this.outbox.waiting < this.settings.maxUnacked) {
      this.write(talk, '🙏 '.repeat(random.below(40)));
    }
    const { written } = this.outbox;
    if (socket !== undefined && written.length > 0 && random.chance(0.03))
      this.outbox.repeat(random.pick(written), socket);
  }

  write(talk: Talk, text: string): void {
    const socket = this.ready?.connected ? this.ready : undefined;
    const { driver, person } = this.settings;
    this.outbox.write(talk.conversationId, text, (message) => driver.sending(talk, person, message), socket);
  }

  /** Sends on the present connection; for what is asked at the end. Rejects when there is none. */
  readonly ask: Ask = (event, payload) => {
    if (this.socket === undefined) return Promise.reject(new Error('not connected'));
    return this.askOn(this.socket)(event, payload);
  };

  private async live(): Promise<void> {
    const { address, random } = this.settings;
    const auth = { token: await tokenFor(this.settings.person) };
    while (!this.isStopped) {
      const url = address();
      if (url !== undefined) await this.connect(url, auth);
      await wait(random.below(random.chance(0.1) ? 3 * AWAY_MS : AWAY_MS));
    }
  }

  /** Resolves when the connection has ended, or was not made. */
  private async connect(url: string, auth: object): Promise<void> {
    const socket = io(url, { auth, transports: ['websocket'], forceNew: true, reconnection: false });
    this.socket = socket;
    const lastSeqs = new Map<string, number>();
    const { events, messageOf } = this.settings.driver;
    socket.on(events.received, (message: object) => this.take(messageOf(message), lastSeqs, socket));
    socket.on(events.read, (read: MessagesReadPayload) => this.noteRead(read));
    socket.on('connected', () => void this.settleIn(socket));
    await new Promise<void>((resolve) => {
      socket.once('disconnect', () => resolve());
      socket.once('connect_error', () => resolve());
    });
    socket.disconnect();
  }

  private async settleIn(socket: Socket): Promise<void> {
    this.connects += 1;
    const { driver, joinsRooms } = this.settings;
    if (joinsRooms) {
      for (const conversationId of this.views.keys()) socket.emit(driver.events.join, { conversationId });
    }
    this.outbox.resend(socket);
    this.ready = socket;
    while (socket.connected && this.caughtUpOn !== socket) {
      try {
        await this.catchUp.run(this.askOn(socket));
        this.caughtUpOn = socket;
      } catch {
        // The connection has ended, or the server could not: as long as there is a connection, it may next time.
        await wait(RETRY_MS);
      }
    }
  }

  /** A socket gets a message once, and from the first one on every message of a conversation, in their order. */
  private take(message: SoakMessage, lastSeqs: Map<string, number>, socket: Socket): void {
    const { conversationId, seq } = message;
    const last = lastSeqs.get(conversationId);
    const isNext = this.settings.hasSeveralNodes ? seq !== last : seq === (last ?? seq - 1) + 1;
    if (!isNext) this.complain(`${this.settings.name}: ${conversationId} ${seq} came after ${last}`);
    lastSeqs.set(conversationId, Math.max(seq, last ?? 0));
    const view = this.views.get(conversationId);
    if (view === undefined) {
      this.complain(`${this.settings.name}: got a message of ${conversationId}`);
      return;
    }
    view.toldOf = Math.max(view.toldOf, seq);
    view.keep(message);
    if (view.isBehind) void this.closeGap(view, socket);
  }

  private async closeGap(view: ConversationView, socket: Socket): Promise<void> {
    while (view.isBehind && socket.connected) {
      await this.catchUp.readNewer(view, this.askOn(socket)).catch(() => {});
      if (view.isBehind) await wait(RETRY_MS);
    }
  }

  /** Once for each fault: what is asked again is wrong again. */
  private complain(fault: string): void {
    if (!this.faults.includes(fault)) this.faults.push(fault);
  }

  private noteRead({ conversationId, readBy, readByType, upToSeq }: MessagesReadPayload): void {
    const view = this.views.get(conversationId);
    if (view !== undefined && isSame({ id: readBy, type: readByType }, this.settings.person))
      view.readSeq = Math.max(view.readSeq, upToSeq);
  }

  private askOn(socket: Socket): Ask {
    return async <T>(event: string, payload: object): Promise<T> => {
      const ack = (await socket.timeout(ASK_PATIENCE_MS).emitWithAck(event, payload)) as Ack<T>;
      if (ack.ok) return ack.data;
      if (!ack.error.retryable)
        this.complain(`${this.settings.name}: ${event} was refused: ${JSON.stringify(ack.error)}`);
      throw new Error(`${event} was refused: ${ack.error.code}`);
    };
  }
}
