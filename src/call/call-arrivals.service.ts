import { Injectable, Logger } from '@nestjs/common';
import { type Party, partyKey, partyOf } from '../contract/identity.js';
import { Gathering } from '../gathering/gathering.js';
import { OutageLog } from '../logging/outage-log.js';
import { type Connection, Connections } from '../realtime/connections.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { lateCallRoom } from '../realtime/rooms.js';
import { RedisConnection } from '../redis/redis-connection.js';
import type { Call } from './call.schema.js';
import { CallAnnouncer } from './call-announcer.js';
import { CallRepository } from './call.repository.js';
import { isInCall, isRefusedAsBusy, roleIn } from './call-rules.js';
import { isAnswered } from './call-state.js';
import { CallTimes } from './call-times.js';
import { ToldCalls } from './told-calls.js';

/** Those who arrive within this time share the reads; after a failure they wait longer. Milliseconds. */
const GATHERING_MS = 20;
const RETRY_MS = 1000;
/** For so long a device that could not be told is worth another try. */
const MAX_AGE_MS = 60_000;

interface Arrival {
  socketId: string;
  party: Party;
  /** When the socket came, by the clock. */
  since: Date;
  /** When it was to be looked at, by `performance.now()`. */
  at: number;
}

interface Rung {
  call: Call;
  arrival: Arrival;
}

/**
 * A device that connects learns how it stands with its calls (contract §4): it rings when a call rings, and what happened to a call while it
 * was away it is told, in case it was in that call or still rings. It may so hear something twice, and clients know calls by their ids.
 * None is left ringing: what became of the call is asked after it was rung. With several nodes the same goes for all devices of a node that
 * was cut off from Redis.
 *
 * Round trips: 2, side by side, for all who arrive within 20 ms, in a crowd 80 ms, and 1 more when one of them is rung.
 */
@Injectable()
export class CallArrivalsService {
  private readonly outage = new OutageLog(
    new Logger(CallArrivalsService.name),
    'New connections are not told of their calls for now',
  );
  private readonly arrivals = new Gathering<Arrival, void>(
    GATHERING_MS,
    async (arrivals) => {
      await this.look(arrivals);
      return arrivals.map(() => undefined);
    },
    true,
  );

  constructor(
    private readonly calls: CallRepository,
    private readonly announcer: CallAnnouncer,
    private readonly told: ToldCalls,
    private readonly emitter: EmitterService,
    private readonly times: CallTimes,
    connections: Connections,
    { client }: RedisConnection,
  ) {
    connections.onGreeted(({ socketId, user }) =>
      this.lookAt([arrivalOf({ socketId, user, since: new Date() })]),
    );
    let wasAway = false;
    client?.on('close', () => (wasAway = true));
    client?.on('ready', () => {
      // What was told meanwhile on other nodes did not come through; what still is under way is let pass first.
      if (wasAway) this.lookLater(emitter.everybodyHere().map(arrivalOf));
      wasAway = false;
    });
  }

  private lookAt(arrivals: Arrival[]): void {
    for (const arrival of arrivals) void this.arrivals.run(arrival);
  }

  private lookLater(arrivals: Arrival[]): void {
    if (arrivals.length > 0) setTimeout(() => this.lookAt(arrivals), RETRY_MS).unref();
  }

  /** Never rejects. */
  private async look(arrivals: Arrival[]): Promise<void> {
    try {
      await this.tell(arrivals);
      this.outage.worked();
    } catch (error) {
      this.outage.failed(error);
      const isOfUse = ({ socketId, at }: Arrival): boolean =>
        this.emitter.isConnected(socketId) && performance.now() - at < MAX_AGE_MS;
      this.lookLater(arrivals.filter(isOfUse));
    }
  }

  private async tell(arrivals: Arrival[]): Promise<void> {
    const keys = [...new Set(arrivals.map(({ party }) => partyKey(party)))];
    const [open, ended] = await Promise.all([
      this.calls.findOpenOfAny(keys),
      this.calls.findEndedOfAny(keys, new Date(Date.now() - this.times.newsMs)),
    ]);
    const rung = arrivals.flatMap((arrival) => {
      const own = open.filter((call) => isOf(call, arrival));
      // Who is in a call now has no use for the one before, and could take its end for that of this one.
      if (own.length === 0) this.tellEnd(arrival, ended);
      return own.filter((call) => this.tellOpen(call, arrival)).map((call) => ({ call, arrival }));
    });
    if (rung.length > 0) await this.endWhatStopped(rung);
  }

  /** Whether the device rings now. */
  private tellOpen(call: Call, arrival: Arrival): boolean {
    if (this.told.wasToldSince(call, arrival.at)) return false;
    const role = roleIn(call, arrival.party);
    if (isAnswered(call.status) && role === 'callee') this.tellCallee(call, arrival);
    const isOld = call.acceptedAt !== undefined && Date.now() - call.acceptedAt.getTime() > this.times.newsMs;
    return !isOld && this.announcer.tellLateDevice(call, role, arrival.socketId);
  }

  /** A device that was here when another one answered is not in the call; one that came later may be, as a new connection of that one. */
  private tellCallee(call: Call, { socketId, since }: Arrival): void {
    if (isInCall(call, socketId)) return;
    const wasHere = call.acceptedAt !== undefined && since < call.acceptedAt;
    if (wasHere) this.announcer.tellAnsweredElsewhere(call, socketId);
    else void this.emitter.joinRoom(socketId, lateCallRoom(call._id.toHexString()));
  }

  private tellEnd(arrival: Arrival, ended: Call[]): void {
    const newest = ended.find((call) => isOf(call, arrival) && !isRefusedAsBusy(call));
    if (newest === undefined || this.told.wasToldSince(newest, arrival.at)) return;
    this.announcer.tellEndToLateDevice(newest, roleIn(newest, arrival.party), arrival.socketId);
  }

  /** A call that was answered or ended since it was read may have told its devices before these were rung. */
  private async endWhatStopped(rung: Rung[]): Promise<void> {
    const current = await this.calls.findMany(rung.map(({ call }) => call._id));
    for (const { call, arrival } of rung) {
      const now = current.find(({ _id }) => _id.equals(call._id));
      if (now === undefined || now.status === 'ringing' || isInCall(now, arrival.socketId)) continue;
      this.announcer.endFor(now, arrival.socketId);
    }
  }
}

function isOf({ parties }: Call, { party }: Arrival): boolean {
  return parties.includes(partyKey(party));
}

function arrivalOf({ socketId, user, since }: Connection & Pick<Arrival, 'since'>): Arrival {
  return { socketId, party: partyOf(user), since, at: performance.now() };
}
