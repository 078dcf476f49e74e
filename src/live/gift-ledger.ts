import { Injectable } from '@nestjs/common';
import type { Party } from '../contract/identity.js';

/** What a ledger is told of a gift. */
export interface GiftToCharge {
  /** Unique, and the same whenever this gift is charged again. */
  id: string;
  streamId: string;
  sender: Party;
  /** Who gets it: the broadcaster. */
  recipient: Party;
  giftType: string;
  /** Whole number from 0 to 1,000,000, as the client says; what a gift of this type costs is the ledger's to know. */
  giftValue: number;
}

/**
 * Where gifts are paid for: a wallet, say. It is asked after a gift was stored and before anybody sees it.
 *
 * To provide your own: write a class that extends this one, and name it in live.module.ts instead of `NoGiftLedger`, as
 * `{ provide: GiftLedger, useClass: WalletLedger }`. It may inject what any provider may.
 */
export abstract class GiftLedger {
  /**
   * Takes what the gift costs. Must be idempotent by the gift's `id`: it is called again, by this node or another one, when a node died or
   * nobody knows what came of the first call, also when the stream has ended meanwhile. What it took once it does not refuse later.
   * @throws AppError to refuse the gift, e.g. `new AppError('CONFLICT', 'Your balance is too low.', { state: 'low_balance' })`: nothing was
   * taken then. The gift is deleted, nobody sees it, and the sender gets this error. Anything else that is thrown, and no answer within
   * 5 s, means that nobody knows: the sender gets UNAVAILABLE, and it is asked again every 10 s until it says one or the other.
   */
  abstract charge(gift: GiftToCharge): Promise<void>;
}

/** Gifts cost nothing. */
@Injectable()
export class NoGiftLedger extends GiftLedger {
  override async charge(): Promise<void> {}
}
