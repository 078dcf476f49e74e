import 'reflect-metadata';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '../../src/contract/errors.js';
import {
  documentedFields,
  eventsOf,
  type HandledEvent,
  sectionsUnder,
  sentSections,
} from '../support/handled-events.js';

const SRC = join(import.meta.dirname, '../../src');
const document = readFileSync(join(import.meta.dirname, '../../docs/events.md'), 'utf8');

async function handledEvents(): Promise<HandledEvent[]> {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.gateway.ts'),
  );
  const events: HandledEvent[] = [];
  for (const file of files) {
    const exported = (await import(join(SRC, file))) as Record<string, { prototype: object }>;
    for (const gateway of Object.values(exported)) events.push(...eventsOf(gateway.prototype));
  }
  return events;
}

describe('docs/events.md', () => {
  it('has every event that clients may send, with exactly the fields of its DTO', async () => {
    const events = await handledEvents();
    const sections = sentSections();
    expect(events.length).toBeGreaterThan(0);
    expect([...sections.keys()].toSorted()).toEqual(events.map(({ name }) => name).toSorted());
    for (const { name, fields } of events) {
      const documented = documentedFields(sections.get(name) ?? '');
      expect([name, new Set(documented)]).toEqual([name, new Set(fields)]);
    }
  });

  it('has every event that the server sends', () => {
    const source = readFileSync(join(SRC, 'contract/server-events.ts'), 'utf8');
    const body = /interface ServerEvents \{([^}]*)\}/.exec(source)?.[1] ?? '';
    const sent = [...body.matchAll(/^\s+'?([\w:]+)'?: \w+;/gm)].map(([, name]) => name ?? '');
    expect(sent.length).toBeGreaterThan(3);
    expect([...sectionsUnder((heading) => heading === 'What the server sends').keys()].toSorted()).toEqual(
      sent.toSorted(),
    );
  });

  it('has examples that are JSON', () => {
    const examples = [...document.matchAll(/^```json\n([^]*?)^```$/gm)].map(([, text = '']) => text);
    const sent = sentSections();
    expect(examples.length).toBeGreaterThan(sent.size);
    const faulty = examples.filter((text) => {
      try {
        return typeof JSON.parse(text) !== 'object';
      } catch {
        return true;
      }
    });
    expect(faulty).toEqual([]);
    for (const [name, section] of sent) expect([name, section.includes('```json\n')]).toEqual([name, true]);
  });

  it('has every error code, with the right word on retrying', () => {
    const rows = [...document.matchAll(/^\| `([A-Z_]+)`\s+\| (yes|no)\s/gm)].map(([, code, retry]) => [
      code,
      retry === 'yes',
    ]);
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(Object.entries(ERROR_CODES).map(([code, { retryable }]) => [code, retryable])),
    );
  });
});
