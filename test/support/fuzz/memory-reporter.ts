/** Loaded into the server by `--import`: at SIGUSR2 it collects garbage and says what is left, in bytes. */
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.stdout.write(`memory ${heapUsed + external} ${rss}\n`);
});
