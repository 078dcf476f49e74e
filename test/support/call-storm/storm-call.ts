import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../soak/random.js';
import type { CallWatch } from './call-watch.js';
import { STORM_TIMES } from './storm-nodes.js';
import type { Payload, StormDevice } from './storm-device.js';

const RETRY_MS = 80;
const MAX_PAUSE_MS = 250;
const MAX_DEEDS_AT_ONCE = 4;

/** Everybody around a call. */
export interface Cast {
  callId: string;
  caller: StormDevice[];
  callee: StormDevice[];
  /** They have nothing to do with it, and know its id. */
  strangers: StormDevice[];
}

/** What may be done to a call, and how often; of the strangers' deeds nothing must come. */
const DEEDS: [weight: number, deed: (call: StormCall) => unknown][] = [
  [26, (call) => call.by(call.cast.callee, 'call:accept')],
  [7, (call) => call.by(call.cast.callee, 'call:reject')],
  [4, (call) => call.by(call.cast.callee, 'call:end')],
  [8, (call) => call.by(call.cast.caller, 'call:end', { duration: 99_999, reason: 'hung_up' })],
  [18, (call) => call.by(call.anySide(), 'call:connected')],
  [4, (call) => call.by(call.anySide(), 'call:token')],
  [4, (call) => call.by(call.anySide(), 'call:state')],
  [6, (call) => call.by(call.anySide(), 'call', call.queuedForm())],
  [4, (call) => call.by(call.cast.caller, 'call:accept')],
  [3, (call) => call.by(call.cast.caller, 'call:reject', { reason: 'not mine' })],
  [16, (call) => call.byStranger()],
  [8, (call) => call.dropOne()],
  [4, (call) => call.dropAll(call.anySide())],
];

const STRANGE_EVENTS = [
  'call:accept',
  'call:reject',
  'call:connected',
  'call:end',
  'call:token',
  'call:state',
  'call',
] as const;

/** Drives one call from its ring to its end, by chance. */
export class StormCall {
  constructor(
    readonly cast: Cast,
    private readonly watch: CallWatch,
    private readonly random: Random,
  ) {}

  async play(): Promise<void> {
    const isOver = this.watch.over(this.cast.callId);
    for (let left = 1 + this.random.below(5); left > 0; left -= 1) {
      await wait(this.random.chance(0.4) ? 0 : this.random.below(MAX_PAUSE_MS));
      const deeds = Array.from({ length: 1 + this.random.below(MAX_DEEDS_AT_ONCE) }, () => this.pickDeed());
      await Promise.all(deeds.map((deed) => deed(this)));
    }
    await this.finish(isOver);
  }

  anySide(): StormDevice[] {
    return this.random.pick([this.cast.caller, this.cast.callee]);
  }

  /** By one of the devices that know of the call. */
  async by(devices: StormDevice[], event: string, fields: Payload = {}): Promise<void> {
    const device = this.here(devices);
    const { callId } = this.cast;
    if (device !== undefined && (await device.knows(callId))) await device.act(event, { ...fields, callId });
  }

  async byStranger(): Promise<void> {
    const device = this.here(this.cast.strangers);
    if (device === undefined) return;
    const event = this.random.pick(STRANGE_EVENTS);
    const payload = { ...(event === 'call' && this.queuedForm()), callId: this.cast.callId };
    if (this.random.chance(0.25)) device.tell(event, payload);
    else await device.act(event, payload);
  }

  /** What an app keeps while it is offline: an end, a reject, an accept. */
  queuedForm(): Payload {
    return this.random.pick([{ duration: 3 }, { reason: 'declined' }, {}]);
  }

  dropOne(): void {
    this.here([...this.cast.caller, ...this.cast.callee])?.leave(this.random.below(300));
  }

  /** For less, or for more than one is waited for. */
  dropAll(devices: StormDevice[]): void {
    const awayMs = this.random.below(2 * STORM_TIMES.partyReturnMs);
    for (const device of devices) device.leave(awayMs);
  }

  /** Somebody hangs up at last, or nobody does and time has to. */
  private async finish(isOver: Promise<void>): Promise<void> {
    const over = isOver.then(() => true as const);
    if (this.random.chance(0.25)) {
      // Ringing ends by itself; an answered call does when a party has gone.
      await Promise.race([over, wait(this.random.below(1000))]);
      if (this.random.chance(0.5))
        for (const device of this.anySide()) device.leave(2 * STORM_TIMES.partyReturnMs);
      await Promise.race([over, wait(2 * STORM_TIMES.partyReturnMs)]);
    }
    while (!(await Promise.race([over, wait(RETRY_MS)]))) await this.by(this.anySide(), 'call:end');
  }

  private here(devices: StormDevice[]): StormDevice | undefined {
    const here = devices.filter(({ isHere }) => isHere);
    return here.length === 0 ? undefined : this.random.pick(here);
  }

  private pickDeed(): (call: StormCall) => unknown {
    let left = this.random.next() * DEEDS.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, deed] of DEEDS) {
      left -= weight;
      if (left < 0) return deed;
    }
    return () => undefined;
  }
}
