import { readFileSync } from 'node:fs';

export interface KnownEvent {
  name: string;
  /** The fields that are documented for it. */
  fields: string[];
}

/** Every event that clients may send, from docs/events.md, which a test keeps equal to the code. To be called in the checkout's folder. */
export function knownEvents(): KnownEvent[] {
  const document = readFileSync('docs/events.md', 'utf8');
  return document
    .split(/^## /m)
    .filter((chapter) => /^.*what clients send$/m.test(chapter.slice(0, chapter.indexOf('\n'))))
    .flatMap((chapter) => chapter.split(/^### /m).slice(1))
    .map((section) => ({
      name: /^`([^`]+)`/.exec(section)?.[1] ?? '',
      fields: [...section.matchAll(/^\| `(\w+)`\s+\|/gm)].map(([, field]) => field ?? ''),
    }));
}
