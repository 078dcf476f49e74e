import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import type { BlockPayload, BlocksPayload, UnblockPayload } from '../contract/block.js';
import { AppError } from '../contract/errors.js';
import { type Identity, isSameParty, type Party, partyOf } from '../contract/identity.js';
import { BlockRepository } from './block.repository.js';
import { type Block, pairKey } from './block.schema.js';
import { KnownBlocks } from './known-blocks.js';

/**
 * Who takes no messages and calls from whom (contract §3). On the node that blocks or unblocks it counts before the ack, on all others
 * within 2 s. Nobody is told: the blocked one learns of it by being refused.
 */
@Injectable()
export class BlockService {
  constructor(
    private readonly blocks: BlockRepository,
    private readonly known: KnownBlocks,
  ) {}

  /**
   * Repeating it changes nothing. An admin blocks for all admins. One round trip.
   * @throws AppError FORBIDDEN for an admin, BAD_REQUEST for oneself, UNAVAILABLE
   */
  async block(user: Identity, person: Party): Promise<BlockPayload> {
    const blocker = partyOf(user);
    if (person.type === 'admin') throw new AppError('FORBIDDEN', 'Admins cannot be blocked.');
    if (isSameParty(blocker, person)) throw AppError.badField('userId', 'nobody can block themselves');
    const stored = await this.blocks.add(blocker, person);
    this.known.changed(pairKey(blocker, person), true);
    return toPayload(stored);
  }

  /** Whoever is not blocked is unblocked all the same. One round trip. */
  async unblock(user: Identity, person: Party): Promise<UnblockPayload> {
    const [blocker, blocked] = [partyOf(user), partyOf(person)];
    await this.blocks.remove(blocker, blocked);
    this.known.changed(pairKey(blocker, blocked), false);
    return { userId: blocked.id, userType: blocked.type };
  }

  /**
   * Whom the caller has blocked, newest first. One round trip.
   * @param cursor `nextCursor` of the page before
   */
  async list(user: Identity, limit: number, cursor?: string): Promise<BlocksPayload> {
    const before = cursor === undefined ? undefined : new Types.ObjectId(cursor);
    const found = await this.blocks.listOf(partyOf(user), limit + 1, before);
    const page = found.slice(0, limit);
    const nextCursor = found.length > limit ? (page.at(-1)?._id.toHexString() ?? null) : null;
    return { blocked: page.map(toPayload), nextCursor };
  }

  /** Whether it is certain, without asking the database, that the recipient has not blocked the sender. False says nothing. */
  isKnownUnblocked(sender: Party, recipient: Party): boolean {
    // Nobody can block an admin.
    return sender.type === 'admin' || this.known.isKnownUnblocked(pairKey(partyOf(recipient), sender));
  }

  /** Whether the recipient has blocked the sender. No round trip when it is known that not, else one read. */
  async isBlocked(sender: Party, recipient: Party): Promise<boolean> {
    return sender.type !== 'admin' && this.known.isBlocked(pairKey(partyOf(recipient), sender));
  }

  /** Whether any of these has blocked the sender. One read, none for an admin. */
  async isBlockedByAny(sender: Party, recipients: Party[]): Promise<boolean> {
    // Nobody can block an admin.
    if (sender.type === 'admin') return false;
    const blocked = await this.blocks.existing(recipients.map((recipient) => pairKey(recipient, sender)));
    return blocked.length > 0;
  }

  /**
   * As `isBlocked`.
   * @throws AppError FORBIDDEN when the recipient has blocked the sender, UNAVAILABLE
   */
  async assertNotBlocked(sender: Party, recipient: Party): Promise<void> {
    if (await this.isBlocked(sender, recipient)) {
      throw new AppError('FORBIDDEN', 'This person takes no messages and calls from you.');
    }
  }
}

function toPayload({ blockedId, blockedType, blockedAt }: Block): BlockPayload {
  return { userId: blockedId, userType: blockedType, blockedAt: blockedAt.toISOString() };
}
