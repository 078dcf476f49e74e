import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import type { AuthenticatedData } from '../auth/authenticated-data.js';
import type { ServerToClientEvents } from '../contract/server-events.js';

export type RealtimeServer = Server<
  DefaultEventsMap,
  ServerToClientEvents,
  DefaultEventsMap,
  AuthenticatedData
>;
export type RealtimeSocket = Socket<
  DefaultEventsMap,
  ServerToClientEvents,
  DefaultEventsMap,
  AuthenticatedData
>;
