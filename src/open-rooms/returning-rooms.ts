import type { OpenRooms } from './open-rooms.schema.js';

/**
 * The rooms that come back to a new socket: all that the other sockets of its identity have or had, since nothing says which of them it
 * continues. Not what came back to one of those before it and was left there, unless a socket opened it that is younger than that one.
 */
export function returningRooms(beside: OpenRooms[]): string[] {
  const leavers = beside.filter(({ goneAt, left }) => goneAt != null && left.length > 0);
  const isOutdated = (room: string, { arrivedAt }: OpenRooms): boolean =>
    leavers.some((leaver) => leaver.arrivedAt > arrivedAt && leaver.left.includes(room));
  const rooms = beside.flatMap((entry) => entry.rooms.filter((room) => !isOutdated(room, entry)));
  return [...new Set(rooms)];
}
