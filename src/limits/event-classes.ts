import type { RateClass } from '../config/rate-limits.js';

/** The class of each event that is not one of “everything else”. */
const CLASSES: ReadonlyMap<string, RateClass> = new Map<string, RateClass>([
  ['dm:send_message', 'message'],
  ['chat:message', 'message'],
  ['dm:typing_start', 'typing'],
  ['dm:typing_stop', 'typing'],
  ['chat:typing', 'typing'],
  ['chat:stop_typing', 'typing'],
  ['live:reaction', 'reaction'],
  ['call:initiate', 'ring'],
  ['dm:join_conversation', 'join'],
  ['chat:join', 'join'],
  ['live:join', 'join'],
]);

/** The names of events that are of a class of their own. */
export const CLASSED_EVENTS: readonly string[] = [...CLASSES.keys()];

/** What an event counts as; those that nobody handles count, too. */
export function classOf(event: string): RateClass {
  return CLASSES.get(event) ?? 'other';
}
