import { Injectable } from '@nestjs/common';

/** Milliseconds; how long a call rings is configured. Tests put others in their place. */
@Injectable()
export class CallTimes {
  /** A caller whose last socket has gone is waited for so long while the call rings. */
  readonly callerReturnMs: number = 10_000;
  /** Either party, once the call is answered. */
  readonly partyReturnMs: number = 45_000;
  /** How often an answered call is looked at, in case the node that was to tell of a departure died. */
  readonly presenceCheckMs: number = 60_000;
  /** Parties are told so long before a token runs out; halfway through when it lives less than twice this. */
  readonly tokenNoticeMs: number = 120_000;
  /** A call ends so long after all tokens that were given out for it ran out: Agora has put out its parties. */
  readonly mediaLapseMs: number = 60_000;
  /** A transition that was stored is told by another node after this, if the one that stored it has not. */
  readonly followUpMs: number = 5000;
  /** Between two tries of the same. */
  readonly followUpRetryMs: number = 30_000;
  /** What happened to a call so long ago is no news to a device that comes. */
  readonly newsMs: number = 120_000;
  /** How often a node looks for what is due: so late may a deadline be. */
  readonly lookIntervalMs: number = 500;
}
