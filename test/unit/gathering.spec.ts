import { jest } from '@jest/globals';
import { Gathering } from '../../src/gathering/gathering.js';

/** What the work was given, batch by batch. */
function recording(gatheringMs = 0) {
  const batches: number[][] = [];
  const gathering = new Gathering<number, string>(gatheringMs, async (items) => {
    batches.push(items);
    return items.map((item) => `result of ${item}`);
  });
  return { batches, gathering };
}

describe('Gathering', () => {
  it('lets those who come together share the work, and gives each its own result', async () => {
    const { batches, gathering } = recording();
    const results = await Promise.all([1, 2, 3, 2].map((item) => gathering.run(item)));
    expect(results).toEqual(['result of 1', 'result of 2', 'result of 3', 'result of 2']);
    expect(batches).toEqual([[1, 2, 3, 2]]);
  });

  it('takes those who come within the time, and begins the work only then', async () => {
    const { batches, gathering } = recording(200);
    const first = gathering.run(1);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(batches).toEqual([]);
    await Promise.all([first, gathering.run(2)]);
    expect(batches).toEqual([[1, 2]]);
  });

  it('waits four times as long in a crowd, and no longer for who comes alone after it', async () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const { gathering } = recording(1);
    for (const together of [1, 2, 2, 2, 1, 1])
      await Promise.all(Array.from({ length: together }, (_, item) => gathering.run(item)));
    expect(timers.mock.calls.map(([, milliseconds]) => milliseconds)).toEqual([1, 1, 2, 4, 4, 1]);
    timers.mockRestore();
  });

  it('begins anew for who comes when the work has begun: what it read may be older than they are', async () => {
    const begun: (() => void)[] = [];
    const batches: number[][] = [];
    const gathering = new Gathering<number, number>(0, (items) => {
      batches.push(items);
      return new Promise((resolve) => begun.push(() => resolve(items)));
    });
    const first = gathering.run(1);
    while (begun.length < 1) await new Promise((resolve) => setTimeout(resolve, 0));
    const second = gathering.run(2);
    while (begun.length < 2) await new Promise((resolve) => setTimeout(resolve, 0));
    // The later work may end first.
    begun[1]?.();
    expect(await second).toBe(2);
    begun[0]?.();
    expect(await first).toBe(1);
    expect(batches).toEqual([[1], [2]]);
  });

  it('lets those who come while it works share the next work in turn, also after a failure', async () => {
    const begun: ((error?: Error) => void)[] = [];
    const batches: number[][] = [];
    const work = (items: number[]): Promise<number[]> => {
      batches.push(items);
      return new Promise((resolve, reject) =>
        begun.push((error) => (error === undefined ? resolve(items) : reject(error))),
      );
    };
    const gathering = new Gathering<number, number>(0, work, true);
    const first = gathering.run(1);
    while (begun.length < 1) await new Promise((resolve) => setTimeout(resolve, 0));
    const others = [gathering.run(2), gathering.run(3)];
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(batches).toEqual([[1]]);
    begun[0]?.(new Error('as the test wants it'));
    await expect(first).rejects.toThrow('as the test wants it');
    while (begun.length < 2) await new Promise((resolve) => setTimeout(resolve, 0));
    begun[1]?.();
    expect(await Promise.all(others)).toEqual([2, 3]);
    expect(batches).toEqual([[1], [2, 3]]);
  });

  it('tells all who shared the work of its failure, and works again for the next', async () => {
    let fails = true;
    const gathering = new Gathering<number, number>(0, async (items) => {
      if (fails) throw new Error('as the test wants it');
      return items;
    });
    const outcomes = await Promise.allSettled([gathering.run(1), gathering.run(2)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await gathering.run(3)).toBe(3);
  });

  it('survives a work that throws instead of rejecting', async () => {
    const gathering = new Gathering<number, number>(0, () => {
      throw new TypeError('as the test wants it');
    });
    await expect(gathering.run(1)).rejects.toThrow(TypeError);
  });
});
