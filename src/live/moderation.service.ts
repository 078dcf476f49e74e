import { Injectable } from '@nestjs/common';
import type { Types } from 'mongoose';
import { AppError } from '../contract/errors.js';
import { type Identity, isSameParty, type Party, partyOf } from '../contract/identity.js';
import type { LiveModerationPayload } from '../contract/live.js';
import { EmitterService } from '../realtime/emitter.service.js';
import { liveRoom, personalRoom } from '../realtime/rooms.js';
import { kickedPayload } from './live.mapper.js';
import { ownerOf } from './live-rules.js';
import type { LiveViewer } from './live-viewer.schema.js';
import { LiveViewerRepository } from './live-viewer.repository.js';
import type { TargetDto } from './moderation.dto.js';
import { StreamAccessService } from './stream-access.service.js';

/** Somebody in a stream, at whom a broadcaster or admin points. */
interface Target {
  streamId: Types.ObjectId;
  person: Party;
}

/**
 * Whom broadcasters and admins silence and put out (contract §5). It holds for the person, not for a connection, and may be said before they
 * come. Repeating it changes nothing, and tells the person again: so a repeat finishes what a node that died did not.
 *
 * Round trips: 2. Emits: one, to the person's sockets.
 */
@Injectable()
export class ModerationService {
  constructor(
    private readonly access: StreamAccessService,
    private readonly viewers: LiveViewerRepository,
    private readonly emitter: EmitterService,
  ) {}

  /**
   * They may not comment any more, until `unban`.
   * @throws AppError FORBIDDEN for others than the broadcaster and admins, and about these; NOT_FOUND; CONFLICT; UNAVAILABLE
   */
  async mute(user: Identity, dto: TargetDto): Promise<LiveModerationPayload> {
    const target = await this.targetOf(user, dto);
    const viewer = await this.viewers.setMuted(target.streamId, target.person, new Date());
    this.tellMuted(target, true);
    return toPayload(target, viewer);
  }

  /**
   * They are put out, on all devices and nodes, and may not come again. Stored first: a join under way looks once more when it is in the
   * room, so it either finds the ban or is put out. A node that does not hear of it finds it stored (`MissedBansService`).
   * @throws AppError as `mute`
   */
  async ban(user: Identity, dto: TargetDto): Promise<LiveModerationPayload> {
    const target = await this.targetOf(user, dto);
    const viewer = await this.viewers.setBanned(target.streamId, target.person, new Date());
    const streamId = target.streamId.toHexString();
    const theirs = personalRoom(target.person);
    this.emitter.toRooms([theirs], 'live:kicked', kickedPayload(streamId));
    this.emitter.putOut(liveRoom(streamId), theirs);
    return toPayload(target, viewer);
  }

  /**
   * They may come, and comment, again.
   * @throws AppError as `mute`
   */
  async unban(user: Identity, dto: TargetDto): Promise<LiveModerationPayload> {
    const target = await this.targetOf(user, dto);
    const viewer = await this.viewers.pardon(target.streamId, target.person);
    this.tellMuted(target, false);
    return toPayload(target, viewer);
  }

  private async targetOf(user: Identity, { streamId, userId, userType }: TargetDto): Promise<Target> {
    const stream = await this.access.moderated(user, streamId);
    const person = partyOf({ id: userId, type: userType });
    if (person.type === 'admin' || isSameParty(person, ownerOf(stream)))
      throw new AppError('FORBIDDEN', 'The broadcaster and admins cannot be muted or put out.');
    return { streamId: stream._id, person };
  }

  private tellMuted({ streamId, person }: Target, muted: boolean): void {
    const payload = { streamId: streamId.toHexString(), muted, timestamp: Date.now() };
    this.emitter.toRooms([personalRoom(person)], 'live:muted', payload);
  }
}

function toPayload(
  { streamId, person }: Target,
  { mutedAt, bannedAt }: Pick<LiveViewer, 'mutedAt' | 'bannedAt'>,
): LiveModerationPayload {
  return {
    streamId: streamId.toHexString(),
    userId: person.id,
    userType: person.type,
    muted: mutedAt !== undefined,
    banned: bannedAt !== undefined,
  };
}
