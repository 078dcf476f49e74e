import { CallTimes } from '../../src/call/call-times.js';
import { ChatTimes } from '../../src/chat/chat-times.js';
import { parseConfig } from '../../src/config/config.js';
import { TypingTimes } from '../../src/messaging/typing-times.js';
import { LiveTimes } from '../../src/live/live-times.js';
import { NodeTimes } from '../../src/nodes/node-times.js';
import { OpenRoomTimes } from '../../src/open-rooms/open-room-times.js';
import { PresenceTimes } from '../../src/presence/presence-times.js';
import { TEST_SECRET } from '../support/token.js';

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

  it('what has happened to a chat room is said within 10 s when the node that did it died', () => {
    const { noticeAgeMs, noticeLookMs } = new ChatTimes();
    expect(noticeAgeMs + noticeLookMs).toBeLessThanOrEqual(10_000);
    // The node that made the change is not overtaken while it waits for the database.
    expect(noticeAgeMs).toBeGreaterThan(4500);
  });

  it('rooms come back for 60 s', () => {
    expect(new OpenRoomTimes().returnMs).toBe(60_000);
  });

  it('a call rings for 60 s, and its caller may be away for 10 s meanwhile', () => {
    expect(parseConfig({ NODE_ENV: 'test', JWT_SECRET: TEST_SECRET }).call.ringTimeoutMs).toBe(60_000);
    expect(new CallTimes().callerReturnMs).toBe(10_000);
  });

  it('an answered call ends when a party was away for 45 s', () => {
    expect(new CallTimes().partyReturnMs).toBe(45_000);
  });

  it('a call’s parties are told 2 minutes before a token runs out, and it ends a minute after the last one', () => {
    expect(new CallTimes()).toMatchObject({ tokenNoticeMs: 120_000, mediaLapseMs: 60_000 });
  });

  it('a deadline of a call is met within a second, and what a dead node did not tell within six', () => {
    const { lookIntervalMs, followUpMs, followUpRetryMs, callerReturnMs, presenceCheckMs } = new CallTimes();
    expect(lookIntervalMs).toBe(500);
    expect(followUpMs).toBe(5000);
    // The node that made the transition is not overtaken while it waits for the database, and the parties hear before a caller is given up.
    expect(followUpMs).toBeGreaterThan(2 * lookIntervalMs);
    expect(followUpMs + lookIntervalMs).toBeLessThan(callerReturnMs);
    expect(followUpRetryMs).toBe(30_000);
    expect(presenceCheckMs).toBe(60_000);
  });

  it('a device that connects is told of what happened to its calls in the last 2 minutes', () => {
    expect(new CallTimes().newsMs).toBe(120_000);
  });

  it('who goes offline is told to calls well before their time is over', () => {
    const { callerReturnMs, partyReturnMs } = new CallTimes();
    const { offlineDelayMs } = new PresenceTimes();
    expect(callerReturnMs).toBeGreaterThan(offlineDelayMs);
    // Nor is a call taken from those whose node died and who had no time to come back.
    const { silenceMs, beatIntervalMs } = new NodeTimes();
    expect(partyReturnMs).toBeGreaterThan(silenceMs + beatIntervalMs + offlineDelayMs);
  });

  it('a stream ends when its broadcaster was not heard of for 60 s', () => {
    const { ownerReturnMs, lookIntervalMs, endToldMs } = new LiveTimes();
    expect(ownerReturnMs).toBe(60_000);
    // A node that dies with an end that it has not told leaves it to the next look of another.
    expect(lookIntervalMs + endToldMs).toBeLessThanOrEqual(10_000);
  });

  it('viewers are told at most once a second how many they are', () => {
    expect(new LiveTimes().countIntervalMs).toBe(1000);
  });

  it('a dead node’s viewers are counted for no longer than 30 s, and a living one’s all the time', () => {
    const { leaseMs, countIntervalMs } = new LiveTimes();
    expect(leaseMs + countIntervalMs).toBeLessThanOrEqual(30_000);
    // It is renewed when half of it is over, at a look.
    expect(leaseMs / 2).toBeGreaterThan(5 * countIntervalMs);
  });

  it('viewers share what joining costs for an instant that nobody notices', () => {
    expect(new LiveTimes().gatheringMs).toBeLessThanOrEqual(50);
  });

  it('comments are as slow, and reactions as bundled, as is promised', () => {
    expect(new LiveTimes()).toMatchObject({ slowModeMs: 10_000, reactionBundleMs: 100 });
  });
});
