import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { closeAfterTest } from '../cleanup.js';
import { connectAs, type TestClient } from '../client.js';
import { Random } from '../soak/random.js';
import { admin, type Person } from '../token.js';
import { until } from '../until.js';
import { CallWatch } from './call-watch.js';
import { StormCall } from './storm-call.js';
import { StormDevice } from './storm-device.js';
import { StormNodes } from './storm-nodes.js';
import { type Circle, isSameParty, makeCircles, mayTalk, STAFF } from './storm-people.js';
import type { Outcome } from './storm-outcome.js';

/** More than are needed at a time: people wait for nobody. */
const CIRCLES = 12;
const DRIVERS_PER_CIRCLE = 2;
const BUSY_SHARE = 0.1;
const STAFF_SHARE = 0.2;
const BETWEEN_RESTARTS_MS = 7000;
const MAX_DOWN_MS = 800;
const QUIET_PATIENCE_MS = 30_000;

const ADMIN = admin();

/** Lets people call each other while their devices, and the nodes, come and go; then says what is stored and what everybody was told. */
export class Storm {
  private readonly random: Random;
  private readonly circles = makeCircles(CIRCLES);
  private readonly devices: StormDevice[] = [];
  private readonly engaged = new Set<Person>();
  private rung = 0;

  private constructor(
    private readonly nodes: StormNodes,
    private readonly watch: CallWatch,
    private readonly seed: number,
  ) {
    this.random = new Random(seed);
    const people = this.circles.flatMap(({ members, strangers }) => [
      ...members.flatMap((member) => Array<Person>(1 + this.random.below(3)).fill(member)),
      ...strangers,
    ]);
    for (const [index, person] of [...STAFF, ...people].entries()) this.addDevice(person, index);
  }

  static async start(seed: number): Promise<Storm> {
    const nodes = await StormNodes.start();
    const watch = await CallWatch.start(nodes.mongoUri);
    closeAfterTest(() => watch.stop());
    return new Storm(nodes, watch, seed);
  }

  /** @param calls so many are rung */
  async run(calls: number): Promise<Outcome> {
    closeAfterTest(() => Promise.all(this.devices.map((device) => device.stop())));
    for (const device of this.devices) device.start();
    let isOver = false;
    const restarting = this.restartNodes(() => isOver);
    const drivers = this.circles.flatMap((circle) =>
      Array.from({ length: DRIVERS_PER_CIRCLE }, () => this.drive(circle, calls)),
    );
    await Promise.all(drivers);
    isOver = true;
    await restarting;
    await until(() => this.devices.every(({ isHere }) => isHere), QUIET_PATIENCE_MS);
    await until(() => this.watch.isQuiet(), QUIET_PATIENCE_MS);
    await this.everythingHasArrived();
    const openAtTheEnd = await Promise.all(this.devices.map((device) => device.act('call:state', {})));
    const { restarts } = this.nodes;
    const faults = [...this.watch.faults, ...this.devices.flatMap((device) => device.faults)];
    return { ...(await this.watch.read()), devices: this.devices, faults, restarts, openAtTheEnd };
  }

  private addDevice(person: Person, index: number): void {
    const random = new Random(this.seed + 1000 * index);
    const name = `${person.type} ${person.id} #${index}`;
    this.devices.push(new StormDevice(name, person, () => this.nodes.address(random), random));
  }

  private async drive(circle: Circle, calls: number): Promise<void> {
    while (this.rung < calls) {
      const pair = this.pickPair(circle);
      for (const person of pair) this.engaged.add(person);
      const callId = await this.ring(...pair);
      if (callId !== undefined) await this.play(circle, pair, callId);
      for (const person of pair) this.engaged.delete(person);
    }
  }

  private async play(circle: Circle, [caller, callee]: [Person, Person], callId: string): Promise<void> {
    this.rung += 1;
    const cast = {
      callId,
      caller: this.of(caller),
      callee: this.of(callee),
      strangers: this.strangersTo(circle, caller, callee),
    };
    await new StormCall(cast, this.watch, this.random).play();
  }

  /** Now and then both call each other, or two devices of one, at the same moment. */
  private async ring(caller: Person, callee: Person): Promise<string | undefined> {
    const tries = [this.initiate(caller, callee)];
    if (this.random.chance(0.08)) tries.push(this.initiate(callee, caller));
    if (this.random.chance(0.04)) tries.push(this.initiate(caller, callee));
    const ids = await Promise.all(tries);
    if (ids.every((id) => id === undefined)) await wait(this.random.below(100));
    const [first, ...others] = ids.filter((id) => id !== undefined);
    // Admins may be in several: nobody follows these, and they end by themselves.
    this.rung += others.length;
    return first;
  }

  private async initiate(caller: Person, callee: Person): Promise<string | undefined> {
    const here = this.of(caller).filter(({ isHere }) => isHere);
    if (here.length === 0) return undefined;
    const ack = await this.random.pick(here).act('call:initiate', {
      recipientId: callee.type === 'admin' ? 'admin' : callee.id,
      recipientType: callee.type,
      callType: this.random.pick(['voice', 'video']),
    });
    return ack?.ok ? ack.data.callId : undefined;
  }

  /** Seldom somebody who is in a call already. */
  private pickPair({ members }: Circle): [Person, Person] {
    const free = this.random.chance(BUSY_SHARE) ? [] : members.filter((one) => !this.engaged.has(one));
    const staff = this.random.chance(STAFF_SHARE) ? [ADMIN] : [];
    const candidates = free.some(({ type }) => free.some((other) => other.type !== type)) ? free : members;
    const caller = this.random.pick([...(this.random.chance(0.5) ? staff : []), ...candidates]);
    const others = [...candidates, ...staff].filter((other) => mayTalk(caller, other));
    return [caller, this.random.pick(others)];
  }

  private of(person: Person): StormDevice[] {
    return this.devices.filter((device) => isSameParty(device.person, person));
  }

  /** The circle's own, its other members, and the admin, where they are no party. */
  private strangersTo({ members, strangers }: Circle, ...parties: Person[]): StormDevice[] {
    return [...strangers, ...members, ADMIN]
      .filter((person) => !parties.some((party) => isSameParty(party, person)))
      .flatMap((person) => this.of(person));
  }

  private async restartNodes(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await wait(BETWEEN_RESTARTS_MS * (0.5 + this.random.next()));
      const indexes = this.random.chance(0.25) ? [0, 1] : [this.random.below(2)];
      await Promise.all(indexes.map((index) => this.nodes.restart(index, this.random.below(MAX_DOWN_MS))));
    }
  }

  /** What was sent before has come: a message from either node to everybody who is there has. */
  private async everythingHasArrived(): Promise<void> {
    const people = this.circles.flatMap(({ members, strangers }) => [...members, ...strangers]);
    for (const url of this.nodes.urls) {
      const staff = await connectAs(url, ADMIN);
      for (const person of people) {
        const id = await lastWord(staff, person);
        await Promise.all(this.of(person).map((device) => device.hasMessage(id)));
      }
    }
  }
}

/** Until it is stored: a slow machine may refuse it at first. */
async function lastWord(sender: TestClient, { id, type }: Person): Promise<string> {
  const payload = {
    recipientId: id,
    recipientType: type,
    content: 'the last word',
    clientMessageId: randomUUID(),
  };
  for (;;) {
    const ack = await sender.send<{ id: string }>('dm:send_message', payload);
    if (ack.ok) return ack.data.id;
    if (!ack.error.retryable) throw new Error(`refused: ${JSON.stringify(ack.error)}`);
  }
}
