import type { LightClient } from '../../../bench/support/light-client.js';
import type { LiveViewerCountPayload } from '../../../src/contract/live.js';

const COUNT = '42["live:viewer_count",';
const COMMENT = '42["live:comment",';
const MIN_COUNT_INTERVAL_MS = 1000;
/** Of the server's clock, by which counts are compared. */
const CLOCK_SLACK_MS = 10;

/** Somebody in a stream, who keeps the counts that they are told, and lets others see the comments. */
export class Viewer {
  readonly counts: LiveViewerCountPayload[] = [];
  onComment: (text: string) => void = () => {};

  constructor(readonly client: LightClient) {
    client.onEventText = (text) => {
      if (text.startsWith(COMMENT)) this.onComment(text);
      else if (text.startsWith(COUNT))
        this.counts.push((JSON.parse(text.slice(2)) as [string, LiveViewerCountPayload])[1]);
    };
  }

  /** What they were told last. */
  get count(): number | undefined {
    return this.counts.at(-1)?.count;
  }

  /** Two counts came within a second, or one came twice. */
  get isToldTooOften(): boolean {
    return this.counts.slice(1).some(({ count, timestamp }, index) => {
      const before = this.counts[index];
      if (before === undefined) return false;
      return timestamp - before.timestamp < MIN_COUNT_INTERVAL_MS - CLOCK_SLACK_MS || count === before.count;
    });
  }
}
