import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Names the set of processes in which a process id of this one means something: containers may share a host's name without seeing each
 * other's processes. Where the system does not say it, as outside of Linux, the host's name must do.
 */
export function processSpace(): string {
  return `${read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'))} ${read(() => readlinkSync('/proc/self/ns/pid'))}`;
}

function read(source: () => string): string {
  try {
    return source().trim();
  } catch {
    return '-';
  }
}
