import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { type Identity, partyOf } from '../contract/identity.js';
import type { LivePlacePayload } from '../contract/live.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { liveRoom } from '../realtime/rooms.js';
import type { ReactionDto } from './interaction.dto.js';
import { LiveTimes } from './live-times.js';
import { ReactionTurns } from './reaction-turns.js';
import { StreamAccessService } from './stream-access.service.js';

const DEFAULT_TYPE = 'heart';
/** Types of one stream that wait for their turn; of further ones nothing is shown. So none waits longer than a second. */
const MAX_TYPES = 10;
/** A turn that another node has is asked for again after this part of its time. */
const PARTS_OF_A_TURN = 4;

/** Reactions of one type that were not sent yet. */
interface Bundle {
  /** Of the newest of them. */
  userId: string;
  count: number;
}

/**
 * Reactions (contract §5): nothing is stored, and a viewer who does not read them misses them. What comes to a stream within 100 ms leaves as
 * one message; of several types each has its turn, and they bundle while they wait. So a stream gets 10 messages a second at the most,
 * whatever the number of reactions, types and nodes.
 *
 * Round trips: none; with several nodes one Redis command for each message, which no reaction waits for.
 */
@Injectable()
export class ReactionService implements BeforeApplicationShutdown {
  /** By stream, then by type: the one whose turn is next comes first. */
  private readonly waiting = new Map<string, Map<string, Bundle>>();
  private isClosing = false;

  constructor(
    private readonly access: StreamAccessService,
    private readonly emitter: EmitterService,
    private readonly turns: ReactionTurns,
    private readonly times: LiveTimes,
  ) {}

  /** @throws AppError FORBIDDEN for who is not in the stream; NOT_FOUND; CONFLICT when it has ended; UNAVAILABLE */
  async react(user: Identity, socketId: string, dto: ReactionDto): Promise<LivePlacePayload> {
    const { streamId, reactionType } = dto;
    await this.access.assertInside(user, socketId, streamId);
    this.add(streamId, reactionType ?? DEFAULT_TYPE, partyOf(user).id);
    return { streamId, success: true };
  }

  beforeApplicationShutdown(): void {
    this.isClosing = true;
  }

  private add(streamId: string, type: string, userId: string): void {
    const bundles = this.waiting.get(streamId) ?? new Map<string, Bundle>();
    const bundle = bundles.get(type);
    if (bundle === undefined && bundles.size >= MAX_TYPES) return;
    bundles.set(type, { userId, count: (bundle?.count ?? 0) + 1 });
    if (this.waiting.has(streamId)) return;
    this.waiting.set(streamId, bundles);
    this.sendLater(streamId, this.times.reactionBundleMs);
  }

  private sendLater(streamId: string, milliseconds: number): void {
    setTimeout(() => void this.send(streamId), milliseconds).unref();
  }

  /** Never rejects. */
  private async send(streamId: string): Promise<void> {
    const { reactionBundleMs } = this.times;
    const isOurTurn = await this.turns.take(streamId, reactionBundleMs);
    if (this.isClosing) return;
    if (!isOurTurn) return this.sendLater(streamId, reactionBundleMs / PARTS_OF_A_TURN);
    const bundles = this.waiting.get(streamId);
    for (const [reactionType, { userId, count }] of bundles ?? []) {
      bundles?.delete(reactionType);
      const payload = { streamId, reactionType, userId, count, timestamp: Date.now() };
      this.emitter.toRoomIfWritable(liveRoom(streamId), 'live:reaction', payload);
      // One a turn. The stream is forgotten only after a turn in which nothing came, so that the next reaction keeps its distance.
      return this.sendLater(streamId, reactionBundleMs);
    }
    this.waiting.delete(streamId);
  }
}
