/** Under which a stream's room is remembered for those who come back; stored. */
export const LIVE_ROOM = 'live';
