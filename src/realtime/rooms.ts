import type { Party } from '../contract/identity.js';

/** The name of a Socket.IO room; only this file makes one, so that a client's text never is one. */
export type Room = string & { readonly brand: 'room' };

/** Every socket of one person; all admins share one inbox (contract §2). */
export function personalRoom({ id, type }: Party): Room {
  return (type === 'admin' ? 'admin:' : `${type}:${id}`) as Room;
}

/** The sockets of one identity: admins are told apart here. */
export function identityRoom({ id, type }: Party): Room {
  return `${type}:${id}` as Room;
}

/** One socket alone, on whichever node; Socket.IO itself puts it there. */
export function ownRoom(socketId: string): Room {
  return socketId as Room;
}

/** The sockets that watch a stream, and the broadcaster's (contract §5). */
export function liveRoom(streamId: string): Room {
  return `live:${streamId}` as Room;
}

/** The callee's sockets that came when the call was answered already: one of them may be in it (contract §4). */
export function lateCallRoom(callId: string): Room {
  return `call:${callId}:late` as Room;
}

/** The sockets that have a conversation open (contract §3). */
export function conversationRoom(conversationId: string): Room {
  return `conversation:${conversationId}` as Room;
}

/** The sockets of one member that have a chat room open (contract §6): who is no member any more is not named when it is told of. */
export function openChatRoom(conversationId: string, member: string): Room {
  return `chat:${conversationId}:${member}` as Room;
}
