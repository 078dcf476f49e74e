import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model, QueryFilter, Types } from 'mongoose';
import { type Party, partyKey } from '../contract/identity.js';
import { createIndexes } from '../database/create-indexes.js';
import { isDuplicateKey } from '../database/database-errors.js';
import { Gathering } from '../gathering/gathering.js';
import { Call, type Deadline, DEADLINES } from './call.schema.js';

/** What kept a call from being stored: a party that is in another one, or a channel's name that was used. */
export type Obstacle = 'occupied' | 'channelName';

/** What a transition changes; `gone` are fields that it removes. */
export interface Change {
  set: Partial<Call> & Pick<Call, 'status'>;
  gone: (keyof Call)[];
  /** Because of which it is made: when somebody has moved it, it is not. */
  deadline?: Deadline;
}

/** When thousands go at once, those who go within this time, or while others are noted, share a write. Milliseconds. */
const GATHERING_MS = 20;

/** Calls that are to be looked at by then. */
interface Expectation {
  calls: QueryFilter<Call>;
  by: Date;
}

/** The collection `calls`. Each method is one round trip. */
@Injectable()
export class CallRepository implements OnModuleInit {
  private readonly expectations = new Gathering<Expectation, void>(
    GATHERING_MS,
    (expectations) => this.expectAll(expectations),
    true,
  );

  constructor(@InjectModel(Call.name) private readonly model: Model<Call>) {}

  async onModuleInit(): Promise<void> {
    await createIndexes(this.model);
  }

  /** That nobody is in two calls, and that no channel is used twice, is what the unique indexes say. Undefined when it is stored. */
  async insert(call: Call): Promise<Obstacle | undefined> {
    try {
      await this.model.collection.insertOne(call);
      return undefined;
    } catch (error) {
      for (const field of ['occupied', 'channelName'] as const)
        if (isDuplicateKey(error, field)) return field;
      throw error;
    }
  }

  /** The call for one of its parties; null for everybody else. */
  async findOf(callId: Types.ObjectId, party: Party): Promise<Call | null> {
    return this.model.findOne({ _id: callId, parties: partyKey(party) }).lean();
  }

  async findMany(callIds: Types.ObjectId[]): Promise<Call[]> {
    return this.model.find({ _id: { $in: callIds } }).lean();
  }

  /** The newest open call of a party. */
  async findOpenOf(party: Party): Promise<Call | null> {
    return this.model.findOne({ open: partyKey(party) }, null, { sort: { _id: -1 } }).lean();
  }

  /** The calls in which the parties are who can be in one only. */
  async findOccupying(parties: Party[]): Promise<Call[]> {
    return this.model.find({ occupied: { $in: parties.map(partyKey) } }).lean();
  }

  /** The calls that are open for any of the parties. */
  async findOpenOfAny(keys: string[]): Promise<Call[]> {
    return this.model.collection.find<Call>({ open: { $in: keys } }).toArray();
  }

  /** The calls of any of the parties that ended since then, newest first. */
  async findEndedOfAny(keys: string[], since: Date): Promise<Call[]> {
    return this.model.collection
      .find<Call>({ parties: { $in: keys }, endedAt: { $gte: since } }, { sort: { endedAt: -1 } })
      .toArray();
  }

  /** Whether a stream, or a call of the former backend, has the channel: who is given a token for it could broadcast there. */
  async isChannelTaken(channelName: string): Promise<boolean> {
    const streams = this.model.db.collection('livestreams');
    const found = await Promise.all([
      this.model.findOne({ channelName }, { _id: 1 }).lean(),
      streams.findOne({ channelName }, { projection: { _id: 1 } }),
    ]);
    return found.some((document) => document !== null);
  }

  /** A party's calls, newest first; those before `before` if it is given. */
  async findPage(party: Party, limit: number, before?: Types.ObjectId): Promise<Call[]> {
    const filter: QueryFilter<Call> = { parties: partyKey(party) };
    if (before !== undefined) filter._id = { $lt: before };
    return this.model.find(filter, null, { sort: { _id: -1 }, limit }).lean();
  }

  /** The compare-and-set of every transition. Null when the call is not any more as it was read. */
  async transit(call: Call, { set, gone, deadline }: Change): Promise<Call | null> {
    const { _id, status } = call;
    return this.model
      .findOneAndUpdate(
        { _id, status, ...(deadline && { [deadline]: call[deadline] }) },
        { $set: set, $unset: Object.fromEntries(gone.map((field) => [field, 1])) },
        { returnDocument: 'after' },
      )
      .lean();
  }

  /** Notes the tokens of an answered call. Null when its deadline was moved since it was read: it must be computed anew. */
  async noteTokens(
    { _id, status, tokenDue }: Call,
    tokens: Pick<Call, 'callerTokenExpiresAt' | 'calleeTokenExpiresAt' | 'tokensNotedUntil' | 'tokenDue'>,
  ): Promise<Call | null> {
    return this.model
      .findOneAndUpdate({ _id, status, tokenDue }, { $set: tokens }, { returnDocument: 'after' })
      .lean();
  }

  /** What is due, in no order. An index for each kind of deadline: the cost is that of what is due. */
  async findDue(now: Date, limit: number): Promise<Call[]> {
    const branches = DEADLINES.map((deadline) => ({ [deadline]: { $lte: now } }));
    return this.model.find({ $or: branches }, null, { limit }).lean();
  }

  /** Moves a deadline from the time at which it was read; false when somebody else was faster, or it is gone. */
  async moveDeadline(call: Call, deadline: Deadline, to: Date): Promise<boolean> {
    const { matchedCount } = await this.model.updateOne(
      { _id: call._id, [deadline]: call[deadline] },
      { $set: { [deadline]: to } },
    );
    return matchedCount === 1;
  }

  /** The newest transition was told, and nothing is left to do for it. False when there was another one since. */
  async clearFollowUp({ _id, status, followUpDue }: Call): Promise<boolean> {
    const { matchedCount } = await this.model.updateOne(
      { _id, status, followUpDue },
      { $unset: { followUpDue: 1 } },
    );
    return matchedCount === 1;
  }

  /** Somebody has gone: the calls that they let ring are looked at then, if they were not to be looked at sooner. */
  async expectCaller({ id, type }: Party, by: Date): Promise<void> {
    const calls = {
      open: partyKey({ id, type }),
      status: 'ringing' as const,
      callerType: type,
      callerId: id,
    };
    await this.expectations.run({ calls, by });
  }

  /** The same for the calls that they are in. */
  async expectParty(party: Party, by: Date): Promise<void> {
    await this.expectations.run({
      calls: { open: partyKey(party), status: { $in: ['accepted', 'connected'] } },
      by,
    });
  }

  private async expectAll(expectations: Expectation[]): Promise<void[]> {
    await this.model.bulkWrite(
      expectations.map(({ calls, by }) => ({
        updateMany: { filter: calls, update: { $min: { presenceDue: by } } },
      })),
      { ordered: false },
    );
    return expectations.map(() => undefined);
  }
}
