import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModulesContainer } from '@nestjs/core';
import { getMetadataStorage } from 'class-validator';
import type { TestApp } from './app.js';

const document = readFileSync(join(import.meta.dirname, '../../docs/events.md'), 'utf8');

/** An event that clients may send. */
export interface HandledEvent {
  name: string;
  /** Fields of its DTO; empty when it takes none. */
  fields: string[];
}

/** Those of one gateway, and of what it extends: Nest binds them, too. */
export function eventsOf(prototype: object): HandledEvent[] {
  const parent = Object.getPrototypeOf(prototype) as object | null;
  const inherited = parent === null || parent === Object.prototype ? [] : eventsOf(parent);
  const own = ownEventsOf(prototype);
  return [...inherited.filter(({ name }) => own.every((event) => event.name !== name)), ...own];
}

function ownEventsOf(prototype: object): HandledEvent[] {
  return Object.getOwnPropertyNames(prototype).flatMap((method) => {
    const handler = Object.getOwnPropertyDescriptor(prototype, method)?.value as unknown;
    if (typeof handler !== 'function') return [];
    const name: unknown = Reflect.getMetadata('message', handler);
    if (typeof name !== 'string') return [];
    const types = Reflect.getMetadata('design:paramtypes', prototype, method) as (new () => object)[];
    const dto = types.find((type) => type.name.endsWith('Dto'));
    const rules =
      dto === undefined ? [] : getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
    return [{ name, fields: [...new Set(rules.map(({ propertyName }) => propertyName))] }];
  });
}

/** Every event of every class that the running application was put together from, whatever its file is called. */
export function handledEventsOf({ app }: Pick<TestApp, 'app'>): HandledEvent[] {
  const classes = new Set<object>();
  for (const module of app.get(ModulesContainer, { strict: false }).values())
    for (const { metatype } of module.providers.values())
      if (typeof metatype === 'function') classes.add(metatype.prototype as object);
  return [...classes].flatMap((prototype) => (prototype ? eventsOf(prototype) : []));
}

/** The sections `### name` of docs/events.md below a heading `## …`, with their texts. */
export function sectionsUnder(isWanted: (heading: string) => boolean): Map<string, string> {
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

/** The sections of the events that clients send. */
export const sentSections = (): Map<string, string> =>
  sectionsUnder((heading) => heading.endsWith('what clients send'));

/** The fields in a section's table. */
export const documentedFields = (section: string): string[] =>
  [...section.matchAll(/^\| `(\w+)`\s+\|/gm)].map(([, field = '']) => field);
