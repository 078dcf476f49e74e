import { setTimeout as wait } from 'node:timers/promises';
import { keepPace } from '../../../bench/support/pace.js';
import { SameOrder } from '../../../bench/support/same-order.js';
import { quantile } from '../../../bench/support/statistics.js';
import type { Ack } from '../../../src/contract/ack.js';
import type { LiveCommentPayload } from '../../../src/contract/live.js';
import type { LiveStorm } from './live-storm.js';

const PATIENCE_MS = 60_000;
/** The longest comment there may be, in a script whose letters have three bytes. */
const CONTENT = 'नमस्ते '.repeat(28);

/** What a flood took. */
export interface FloodReport {
  /** From a comment's turn until everybody who reads had it, milliseconds. */
  p50: number;
  p99: number;
  deliveries: number;
}

/** The broadcaster's comments, on a fixed schedule. Notes as a problem when not every viewer got each of them once, and all in the same order. */
export async function floodWithComments(
  storm: LiveStorm,
  { comments, perSecond }: { comments: number; perSecond: number },
): Promise<FloodReport> {
  const { host, viewers, streamId, problems } = storm;
  const due = new Map<string, number>();
  const durations: number[] = [];
  const seen: string[] = [];
  const acked = new Set<string>();
  const order = new SameOrder(
    (text) => {
      const [, { id, message }] = JSON.parse(text.slice(2)) as [string, LiveCommentPayload];
      seen.push(id);
      durations.push(performance.now() - (due.get(message) ?? Number.NaN));
    },
    (problem) => problems.push(`A viewer ${problem}`),
  );
  for (const viewer of [host, ...viewers]) viewer.onComment = order.viewer();
  await keepPace(
    perSecond,
    () => due.size < comments,
    (at) => {
      const message = `${CONTENT}${due.size}`;
      due.set(message, at);
      host.client.emit('live:comment', { streamId, message }, (answer) => {
        const ack = answer as Ack<LiveCommentPayload>;
        if (ack.ok) acked.add(ack.data.id);
        else problems.push(`A comment was refused: ${ack.error.code}`);
      });
    },
  );
  const until = performance.now() + PATIENCE_MS;
  const isDone = (): boolean => seen.length >= comments && acked.size >= comments;
  while (!isDone() && performance.now() < until) await wait(20);
  if (seen.length !== comments || acked.size !== comments || seen.some((id) => !acked.has(id)))
    problems.push(`Of ${comments} comments ${acked.size} were acknowledged, and ${seen.length} reached all`);
  if (new Set(seen).size !== seen.length) problems.push('A comment came twice');
  return { p50: quantile(durations, 0.5), p99: quantile(durations, 0.99), deliveries: order.deliveries };
}
