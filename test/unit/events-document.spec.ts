import 'reflect-metadata';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getMetadataStorage } from 'class-validator';
import { ERROR_CODES } from '../../src/contract/errors.js';

const SRC = join(import.meta.dirname, '../../src');
const document = readFileSync(join(import.meta.dirname, '../../docs/events.md'), 'utf8');

interface HandledEvent {
  name: string;
  /** Fields of its DTO; empty when it takes none. */
  fields: string[];
}

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

function eventsOf(prototype: object): HandledEvent[] {
  return Object.getOwnPropertyNames(prototype).flatMap((method) => {
    const handler = (prototype as Record<string, object>)[method] as object;
    const name: unknown = Reflect.getMetadata('message', handler);
    if (typeof name !== 'string') return [];
    const types = Reflect.getMetadata('design:paramtypes', prototype, method) as (new () => object)[];
    const dto = types.find((type) => type.name.endsWith('Dto'));
    const rules =
      dto === undefined ? [] : getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
    return [{ name, fields: [...new Set(rules.map(({ propertyName }) => propertyName))] }];
  });
}

/** The sections `### name` below a heading `## …`, with their texts. */
function sectionsUnder(isWanted: (heading: string) => boolean): Map<string, string> {
  const sections = new Map<string, string>();
  for (const chapter of document.split(/^## /m).slice(1)) {
    if (!isWanted(chapter.slice(0, chapter.indexOf('\n')))) continue;
    for (const section of chapter.split(/^### /m).slice(1)) {
      const name = /^`([^`]+)`/.exec(section)?.[1];
      if (name !== undefined) sections.set(name, section);
    }
  }
  return sections;
}

describe('docs/events.md', () => {
  it('has every event that clients may send, with exactly the fields of its DTO', async () => {
    const events = await handledEvents();
    const sections = sectionsUnder((heading) => heading.endsWith('what clients send'));
    expect(events.length).toBeGreaterThan(0);
    expect([...sections.keys()].toSorted()).toEqual(events.map(({ name }) => name).toSorted());
    for (const { name, fields } of events) {
      const documented = [...(sections.get(name) ?? '').matchAll(/^\| `(\w+)`\s+\|/gm)].map(
        ([, field]) => field,
      );
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
    const sent = sectionsUnder((heading) => heading.endsWith('what clients send'));
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
