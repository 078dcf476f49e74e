import { Injectable } from '@nestjs/common';
import { Types } from 'mongoose';
import type { CallHistoryPayload, CallStatePayload } from '../contract/call.js';
import { type Identity, partyOf } from '../contract/identity.js';
import type { CallHistoryDto, CallStateDto } from './call.dto.js';
import { toPayload } from './call.mapper.js';
import { CallRepository } from './call.repository.js';
import { callNotFound } from './call-rules.js';

const DEFAULT_LIMIT = 20;

/** Calls as their parties see them (contract §4). One round trip each, whatever the number of calls. */
@Injectable()
export class CallListService {
  constructor(private readonly calls: CallRepository) {}

  /** One call, or the open one; of several, which admins may have, the newest. @throws AppError NOT_FOUND for a call of others; UNAVAILABLE */
  async state(user: Identity, { callId }: CallStateDto): Promise<CallStatePayload> {
    const own = partyOf(user);
    if (typeof callId !== 'string') {
      const open = await this.calls.findOpenOf(own);
      return { call: open === null ? null : toPayload(open) };
    }
    const call = await this.calls.findOf(new Types.ObjectId(callId), own);
    if (call === null) throw callNotFound();
    return { call: toPayload(call) };
  }

  /** @throws AppError UNAVAILABLE */
  async history(user: Identity, { cursor, limit }: CallHistoryDto): Promise<CallHistoryPayload> {
    const size = limit ?? DEFAULT_LIMIT;
    const before = typeof cursor === 'string' ? new Types.ObjectId(cursor) : undefined;
    const found = await this.calls.findPage(partyOf(user), size + 1, before);
    const page = found.slice(0, size);
    const last = page.at(-1);
    const hasMore = found.length > size && last !== undefined;
    return { calls: page.map(toPayload), nextCursor: hasMore ? last._id.toHexString() : null };
  }
}
