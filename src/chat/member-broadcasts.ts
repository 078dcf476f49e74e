import { setTimeout as wait } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { OutageLog } from '../logging/outage-log.js';
import { stackOf } from '../logging/stack-of.js';
import { KnownRooms, type KnownRoom } from './known-rooms.js';

/** While the database is away nobody knows who belongs to a room: what waits is told when it is back by then, else clients catch up. Milliseconds. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 500;

interface Waiting {
  say: (room: KnownRoom) => void;
  since: number;
  settle: () => void;
}

/**
 * Tells the members of rooms what happens in them, in the order of the calls, and only those who are members when it is told: the membership
 * is read after what is told was stored. So whoever was removed hears of nothing that came after it, whichever node removed them, and
 * whatever their sockets have joined.
 *
 * Round trips: one small read, shared by what comes while another is under way.
 */
@Injectable()
export class MemberBroadcasts {
  private readonly logger = new Logger(MemberBroadcasts.name);
  private readonly outage = new OutageLog(this.logger, 'Members of rooms cannot be told for now');
  private readonly lines = new Map<string, Waiting[]>();

  constructor(private readonly rooms: KnownRooms) {}

  /** Resolves when it was told, or could not be told at once. Never rejects. */
  tell(conversationId: string, say: (room: KnownRoom) => void): Promise<void> {
    return new Promise((settle) => {
      const entry = { say, since: performance.now(), settle };
      const line = this.lines.get(conversationId);
      if (line !== undefined) {
        line.push(entry);
        return;
      }
      const started = [entry];
      this.lines.set(conversationId, started);
      void this.workOff(conversationId, started);
    });
  }

  private async workOff(conversationId: string, line: Waiting[]): Promise<void> {
    while (line.length > 0) {
      const batch = line.slice();
      try {
        const room = await this.rooms.read(conversationId);
        this.outage.worked();
        line.splice(0, batch.length);
        for (const entry of batch) this.say(entry, room);
      } catch (error) {
        this.outage.failed(error);
        for (const { settle } of batch) settle();
        const oldest = performance.now() - PATIENCE_MS;
        line.splice(0, batch.filter(({ since }) => since < oldest).length);
        await wait(RETRY_MS, undefined, { ref: false });
      }
    }
    this.lines.delete(conversationId);
  }

  private say({ say, settle }: Waiting, room: KnownRoom | null): void {
    try {
      if (room !== null) say(room);
    } catch (error) {
      this.logger.error('Something could not be told to a room', stackOf(error));
    }
    settle();
  }
}
