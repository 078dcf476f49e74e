import type { Outgoing, Try } from './outbox.js';

/** A message that is stored behind one that was written after it, in words, with all that was tried. */
export interface Overtaking {
  /** Whether the server may have done so; else it is a fault. */
  hasReason: boolean;
  trace: string;
}

/**
 * The messages of one device that are not in the order in which it wrote them.
 *
 * On each connection, and after each refusal, a device sends what is not acknowledged in the order in which it was written, before
 * anything new. So a message is
 * tried on every connection before its successor, and the only reason for being behind it is this: the server did not take the message
 * on a connection on which it took the successor, and what is stored comes from a later try.
 */
export function overtakings(written: Outgoing[]): Overtaking[] {
  const conversationIds = new Set(written.map(({ conversationId }) => conversationId));
  return [...conversationIds].flatMap((id) => {
    const messages = written.filter(
      ({ conversationId, acked }) => conversationId === id && acked !== undefined,
    );
    let least = Infinity;
    return messages.toReversed().flatMap((message, fromEnd) => {
      const isBehind = seqOf(message) > least;
      least = Math.min(least, seqOf(message));
      if (!isBehind) return [];
      const successors = messages.slice(messages.length - fromEnd);
      return successors
        .filter((successor) => seqOf(successor) < seqOf(message))
        .map((successor) => ({
          hasReason: mayBeBehind(message, successor),
          trace: `${describe(message)} is behind ${describe(successor)}`,
        }));
    });
  });
}

const seqOf = ({ acked }: Outgoing): number => acked?.seq ?? Infinity;

/**
 * Whether there is a connection on which the successor may have been stored, and on which all earlier tries of the message were refused
 * or not answered, and a later try of the message that can be the one that is stored. The time of a message is the time at which the server
 * took it: a try that was sent after that only found what was stored.
 */
function mayBeBehind(message: Outgoing, successor: Outgoing): boolean {
  return storingTries(successor).some((taken) => {
    const before = message.tries.filter(
      ({ socketId, number }) => socketId === taken.socketId && number < taken.number,
    );
    const wasNotTaken = before.length > 0 && before.every(({ answer }) => answer !== 'ok');
    return wasNotTaken && storingTries(message).some(({ number }) => number > taken.number);
  });
}

function storingTries({ acked, tries }: Outgoing): Try[] {
  const takenAt = Date.parse(acked?.timestamp ?? '');
  return tries.filter(({ sentAt }) => sentAt <= takenAt);
}

function describe({ clientMessageId, conversationId, acked, tries }: Outgoing): string {
  const trace = tries.map(({ number, socketId, address, sentAt, answer = 'no answer', answeredAt }) => {
    const after = answeredAt === undefined ? '' : ` after ${answeredAt - sentAt} ms`;
    return `try ${number} at ${timeOf(sentAt)} on ${socketId} of ${address}: ${answer}${after}`;
  });
  const place = `${conversationId}: ${clientMessageId} with seq ${acked?.seq}, taken at ${acked?.timestamp}`;
  return `${place} (${trace.join('; ')})`;
}

const timeOf = (at: number): string => new Date(at).toISOString();
