// Loaded into every measured process before its own program (`node --import`): tells its CPU time, and profiles it while it works.
import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { dirname } from 'node:path';
import { serve } from './rpc.js';
import { usedMemory } from './used-memory.js';

/** Microseconds between two looks at what is running. */
const SAMPLING_INTERVAL_US = 200;

let session: Session | undefined;

serve({
  /** Microseconds that the process has used so far, in all of its threads. */
  cpu: (): number => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  /** Bytes in use. */
  memory: usedMemory,
  startProfile: async (): Promise<void> => {
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US });
    await session.post('Profiler.start');
  },
  stopProfile: async (file: string): Promise<void> => {
    if (session === undefined) throw new Error('No profile was started.');
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(profile));
  },
});
