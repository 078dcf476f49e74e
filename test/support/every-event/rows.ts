import type { ErrorCode } from '../../../src/contract/errors.js';
import { asha, ravi, type Things } from './things.js';

/** What the test has to know of an event. */
export interface Row {
  /** Well-formed, and about things of others: what somebody sends who tries. */
  payload: (things: Things) => Record<string, unknown>;
  /** What becomes of it; `harmless`: it succeeds, tells nothing of theirs, changes nothing of theirs, and they hear nothing. */
  outsider: ErrorCode | 'harmless';
}

const party = ({ id, type }: { id: string; type: string }) => ({ userId: id, userType: type });
const toRavi = { recipientId: ravi.id, recipientType: ravi.type };

const inConversation =
  (fields: object = {}) =>
  ({ conversationId }: Things) => ({ conversationId, ...fields });
const ofMessage =
  (fields: object = {}) =>
  ({ messageId }: Things) => ({ messageId, ...fields });
const ofCall =
  (fields: object = {}) =>
  ({ callId }: Things) => ({ callId, ...fields });
const inStream =
  (fields: object = {}) =>
  ({ streamId }: Things) => ({ streamId, ...fields });
const inRoom =
  (fields: object = {}) =>
  ({ roomId }: Things) => ({ conversationId: roomId, ...fields });
const nothing = () => ({});

/** One for every event that clients may send; a new event needs one. */
export const ROWS: Record<string, Row> = {
  'auth:refresh': { payload: ({ authToken }) => ({ token: authToken }), outsider: 'FORBIDDEN' },
  'admin:disconnect': { payload: () => party(asha), outsider: 'FORBIDDEN' },
  'dm:join_conversation': { payload: inConversation(), outsider: 'NOT_FOUND' },
  'dm:leave_conversation': { payload: inConversation(), outsider: 'harmless' },
  'dm:send_message': { payload: inConversation({ ...toRavi, content: 'hello' }), outsider: 'NOT_FOUND' },
  'dm:history': { payload: inConversation(), outsider: 'NOT_FOUND' },
  'dm:mark_read': { payload: inConversation({ upToSeq: 1 }), outsider: 'NOT_FOUND' },
  'dm:mark_delivered': { payload: inConversation({ upToSeq: 1 }), outsider: 'NOT_FOUND' },
  'dm:open': { payload: () => toRavi, outsider: 'harmless' },
  'dm:conversations': { payload: nothing, outsider: 'harmless' },
  'dm:typing_start': { payload: inConversation(), outsider: 'NOT_FOUND' },
  'dm:typing_stop': { payload: inConversation(), outsider: 'NOT_FOUND' },
  'dm:block': { payload: () => party(ravi), outsider: 'harmless' },
  'dm:unblock': { payload: () => party(ravi), outsider: 'harmless' },
  'dm:blocks': { payload: nothing, outsider: 'harmless' },
  'dm:edit_message': { payload: ofMessage({ content: 'mine' }), outsider: 'NOT_FOUND' },
  'dm:delete_message': { payload: ofMessage(), outsider: 'NOT_FOUND' },
  'dm:react': { payload: ofMessage({ emoji: '🙏' }), outsider: 'NOT_FOUND' },
  'dm:unreact': { payload: ofMessage({ emoji: '🙏' }), outsider: 'NOT_FOUND' },
  'dm:report': { payload: ofMessage({ reason: 'spam' }), outsider: 'NOT_FOUND' },
  'call:initiate': { payload: () => ({ ...toRavi, callType: 'voice' }), outsider: 'BUSY' },
  'call:accept': { payload: ofCall(), outsider: 'NOT_FOUND' },
  'call:reject': { payload: ofCall(), outsider: 'NOT_FOUND' },
  'call:connected': { payload: ofCall(), outsider: 'NOT_FOUND' },
  'call:end': { payload: ofCall(), outsider: 'NOT_FOUND' },
  'call:token': { payload: ofCall(), outsider: 'NOT_FOUND' },
  call: { payload: ofCall({ duration: 5 }), outsider: 'NOT_FOUND' },
  'call:state': { payload: ofCall(), outsider: 'NOT_FOUND' },
  'call:history': { payload: nothing, outsider: 'harmless' },
  'live:start': { payload: nothing, outsider: 'FORBIDDEN' },
  'live:join': { payload: inStream(), outsider: 'FORBIDDEN' },
  'live:leave': { payload: inStream(), outsider: 'harmless' },
  'live:token': { payload: inStream(), outsider: 'FORBIDDEN' },
  'live:heartbeat': { payload: inStream(), outsider: 'FORBIDDEN' },
  'live:end': { payload: inStream(), outsider: 'FORBIDDEN' },
  'live:active': { payload: nothing, outsider: 'harmless' },
  'live:comment': { payload: inStream({ message: 'hello' }), outsider: 'FORBIDDEN' },
  'live:comments': { payload: inStream(), outsider: 'FORBIDDEN' },
  'live:gift': { payload: inStream({ giftType: 'rose', giftValue: 1 }), outsider: 'FORBIDDEN' },
  'live:reaction': { payload: inStream(), outsider: 'FORBIDDEN' },
  'live:like': { payload: inStream(), outsider: 'FORBIDDEN' },
  'live:unlike': { payload: inStream(), outsider: 'FORBIDDEN' },
  'live:mute': { payload: inStream(party(asha)), outsider: 'FORBIDDEN' },
  'live:ban': { payload: inStream(party(asha)), outsider: 'FORBIDDEN' },
  'live:unban': { payload: inStream(party(asha)), outsider: 'FORBIDDEN' },
  'live:pin': { payload: inStream(), outsider: 'FORBIDDEN' },
  'live:delete_comment': {
    payload: ({ streamId, commentId }) => ({ streamId, commentId }),
    outsider: 'FORBIDDEN',
  },
  'chat:create': { payload: () => ({ members: [{ id: asha.id, type: asha.type }] }), outsider: 'FORBIDDEN' },
  'chat:join': { payload: inRoom(), outsider: 'NOT_FOUND' },
  'chat:leave': { payload: inRoom(), outsider: 'harmless' },
  'chat:message': { payload: inRoom({ message: 'hello' }), outsider: 'NOT_FOUND' },
  'chat:typing': { payload: inRoom(), outsider: 'NOT_FOUND' },
  'chat:stop_typing': { payload: inRoom(), outsider: 'NOT_FOUND' },
  'chat:read': { payload: inRoom({ upToSeq: 1 }), outsider: 'NOT_FOUND' },
  'chat:history': { payload: inRoom(), outsider: 'NOT_FOUND' },
  'chat:rooms': { payload: nothing, outsider: 'harmless' },
  'chat:members': { payload: inRoom(), outsider: 'NOT_FOUND' },
  'chat:add_member': { payload: inRoom(party(ravi)), outsider: 'NOT_FOUND' },
  'chat:remove_member': { payload: inRoom(party(asha)), outsider: 'NOT_FOUND' },
  'chat:leave_room': { payload: inRoom(), outsider: 'NOT_FOUND' },
  'chat:rename': { payload: inRoom({ title: 'mine' }), outsider: 'NOT_FOUND' },
  'chat:mute': { payload: inRoom({ muted: true }), outsider: 'NOT_FOUND' },
  'push:register': {
    payload: () => ({ token: 'a-token-of-mallory', platform: 'web' }),
    outsider: 'harmless',
  },
  'push:unregister': { payload: ({ pushToken }) => ({ token: pushToken }), outsider: 'harmless' },
  'presence:get': { payload: () => ({ users: [{ id: asha.id, type: asha.type }] }), outsider: 'harmless' },
  get_stats: { payload: nothing, outsider: 'harmless' },
};
