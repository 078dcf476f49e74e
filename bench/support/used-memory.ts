import { Session } from 'node:inspector/promises';

/** Bytes that this process holds for JavaScript, buffers included, when everything has been let go that may be. */
export async function usedMemory(): Promise<number> {
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.collectGarbage');
  session.disconnect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
