import type { Duplex } from 'node:stream';

/** Lets those go that have gathered something in this turn. */
let releases: (() => void)[] = [];

/**
 * What a connection is sent in one turn of the event loop leaves together: of a batch of messages each frame would be a system call of
 * its own, for the server and for the client. Nothing waits longer for it than the turn takes.
 */
export function gatherWrites(connection: Duplex): void {
  const write = connection.write.bind(connection) as (...args: unknown[]) => boolean;
  let isGathering = false;
  const release = (): void => {
    isGathering = false;
    connection.uncork();
  };
  connection.write = (...args: unknown[]): boolean => {
    if (!isGathering) {
      isGathering = true;
      connection.cork();
      releaseLater(release);
    }
    return write(...args);
  };
  const destroy = connection.destroy.bind(connection);
  // What was written before goes out: the answer to a WebSocket that is refused is written and the connection destroyed in one turn.
  connection.destroy = (error?: Error) => {
    if (isGathering) release();
    return destroy(error);
  };
}

/** After all promises that this turn settles: an acknowledgement follows its message over some of them. Once for all: a broadcast writes to thousands. */
function releaseLater(release: () => void): void {
  if (releases.length === 0) process.nextTick(releaseAll);
  releases.push(release);
}

function releaseAll(): void {
  const waiting = releases;
  releases = [];
  for (const release of waiting) release();
}
