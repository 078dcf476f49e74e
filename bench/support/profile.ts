import { readFileSync } from 'node:fs';

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

/** Where a process spends its time; shares are of the time in which it was not idle. */
export interface TimeSpent {
  groups: { name: string; share: number }[];
  functions: { name: string; share: number }[];
}

/** Reads a V8 profile: self time by package, by folder of our own source, and by function. */
export function timeSpent(file: string): TimeSpent {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Profile;
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const groups = new Map<string, number>();
  const functions = new Map<string, number>();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    const time = timeDeltas[index] ?? 0;
    if (frame === undefined || isNoWork(frame.functionName, frame.url)) continue;
    busy += time;
    const group = groupOf(frame.url, frame.functionName);
    add(groups, group, time);
    const name = frame.functionName || '(anonymous)';
    add(functions, group === name ? name : `${name} · ${placeOf(frame.url, frame.lineNumber, group)}`, time);
  }
  return { groups: shares(groups, busy), functions: shares(functions, busy) };
}

/** Waiting, and the profiler's own work when it starts and stops. */
function isNoWork(functionName: string, url: string): boolean {
  return functionName === '(idle)' || (functionName === 'dispatch' && url === '');
}

function add(times: Map<string, number>, key: string, time: number): void {
  times.set(key, (times.get(key) ?? 0) + time);
}

function shares(times: Map<string, number>, total: number): { name: string; share: number }[] {
  return [...times]
    .map(([name, time]) => ({ name, share: time / total }))
    .toSorted((a, b) => b.share - a.share);
}

function groupOf(url: string, functionName: string): string {
  if (functionName === '(garbage collector)') return 'garbage collection';
  // The engine, the kernel on its behalf, and what has no source: system calls are here.
  if (url === '') return functionName === '(program)' ? 'outside of JavaScript' : 'native functions';
  if (url.startsWith('node:')) return 'Node.js';
  const dependency = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (dependency !== undefined) return dependency;
  const own = /\/dist\/(?:([^/]+)\/)?[^/]+$/.exec(url)?.[1];
  return own === undefined ? 'program' : `src/${own}`;
}

function placeOf(url: string, line: number, group: string): string {
  const file = url.split('/').at(-1) ?? '';
  return file === '' ? group : `${group} ${file}:${line + 1}`;
}
