import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Types } from 'mongoose';
import { type Identity, partyKey, partyOf } from '../contract/identity.js';
import { CallRepository } from './call.repository.js';
import { callNotFound } from './call-rules.js';

const REMEMBERED_CALLS = 10_000;

/** Who belongs to which call, which never changes: outsiders are turned away before they can be in the parties' way. */
@Injectable()
export class CallParties {
  /** Promises, so that what comes behind a look-up does not pass it. */
  private readonly parties = new LRUCache<string, Promise<readonly string[]>>({ max: REMEMBERED_CALLS });

  constructor(private readonly calls: CallRepository) {}

  /**
   * One read for a call that this node does not know.
   * @throws AppError NOT_FOUND for outsiders, whether the call exists or not; UNAVAILABLE
   */
  async assertParty(user: Identity, callId: string): Promise<void> {
    const parties = await this.partiesOf(callId.toLowerCase());
    if (!parties.includes(partyKey(partyOf(user)))) throw callNotFound();
  }

  private partiesOf(callId: string): Promise<readonly string[]> {
    let parties = this.parties.get(callId);
    if (parties === undefined) {
      parties = this.look(callId);
      this.parties.set(callId, parties);
    }
    return parties;
  }

  private async look(callId: string): Promise<readonly string[]> {
    try {
      const [call] = await this.calls.findMany([new Types.ObjectId(callId)]);
      if (call?.parties === undefined) this.parties.delete(callId);
      return call?.parties ?? [];
    } catch (error) {
      this.parties.delete(callId);
      throw error;
    }
  }
}
