import { TypingTimes } from '../../src/direct-message/typing-times.js';
import { NodeTimes } from '../../src/nodes/node-times.js';
import { OpenRoomTimes } from '../../src/open-rooms/open-room-times.js';
import { PresenceTimes } from '../../src/presence/presence-times.js';

/** Other tests put shorter times in their place, so nothing else sees what the server really promises. Milliseconds. */
describe('the times that clients are promised', () => {
  it('typing stops by itself after 6 s, and is repeated every 3 s', () => {
    expect(new TypingTimes()).toMatchObject({ lapseMs: 6000, repeatMs: 3000 });
  });

  it('an offline is announced 5 s after the last socket went', () => {
    expect(new PresenceTimes().offlineDelayMs).toBe(5000);
  });

  it('a node that dies takes nobody’s presence with it for longer than 30 s', () => {
    const { offlineDelayMs, leaseMs, renewalMs, retryMs } = new PresenceTimes();
    const { beatIntervalMs, silenceMs } = new NodeTimes();
    // In Redis: its people lapse with its lease. For others to be told: the silence, then the next look of one that lives, then the grace.
    expect(leaseMs + renewalMs).toBeLessThanOrEqual(30_000);
    expect(silenceMs + beatIntervalMs + offlineDelayMs).toBeLessThanOrEqual(30_000);
    // A beat, a renewal or a write that failed once costs nobody their place.
    expect(leaseMs).toBeGreaterThan(2 * renewalMs);
    expect(silenceMs).toBeGreaterThan(2 * beatIntervalMs);
    expect(retryMs).toBeLessThan(offlineDelayMs);
  });

  it('rooms come back for 60 s, and the last look for a dead socket’s is within them', () => {
    const { returnMs, lookAgainMs } = new OpenRoomTimes();
    expect(returnMs).toBe(60_000);
    expect(Math.max(...lookAgainMs)).toBeLessThan(returnMs);
  });
});
