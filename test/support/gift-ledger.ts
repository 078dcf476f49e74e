import { GiftLedger, type GiftToCharge } from '../../src/live/gift-ledger.js';
import type { Replacement } from './app.js';

/** A ledger that does what a test says, and remembers what it was asked. */
export class TestLedger extends GiftLedger {
  readonly charged: GiftToCharge[] = [];
  /** Asked for each charge; none takes everything. */
  answer: (gift: GiftToCharge) => Promise<void> | void = () => undefined;

  override async charge(gift: GiftToCharge): Promise<void> {
    this.charged.push(gift);
    await this.answer(gift);
  }

  asReplacement(): Replacement {
    return { provide: GiftLedger as never, useValue: this };
  }
}
