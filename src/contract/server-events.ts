import type { ErrorEvent } from './ack.js';
import type {
  CallAcceptPayload,
  CallConnectedPayload,
  CallEndPayload,
  CallIncomingPayload,
  CallRejectPayload,
  CallTokenExpiringPayload,
  CallTokenPayload,
} from './call.js';
import type {
  ChatHistoryPayload,
  ChatMessagePayload,
  ChatPresencePayload,
  ChatReadPayload,
  ChatRemovedPayload,
} from './chat.js';
import type {
  ConversationJoinedPayload,
  DirectHistoryPayload,
  DirectMessagePayload,
  MessageDeletedPayload,
  MessagesDeliveredPayload,
  MessagesReadPayload,
  ReactionUpdatedPayload,
  ReportCreatedPayload,
} from './direct-message.js';
import type { UserType } from './identity.js';
import type {
  LiveCommentDeletedPayload,
  LiveCommentPayload,
  LiveEndPayload,
  LiveGiftPayload,
  LiveKickedPayload,
  LiveLikeCountPayload,
  LiveMutedPayload,
  LivePinnedPayload,
  LiveReactionPayload,
  LiveStreamEndedPayload,
  LiveStreamStartedPayload,
  LiveViewerCountPayload,
  LiveViewerPayload,
} from './live.js';
import type { AstrologerStatusPayload, StatsPayload } from './presence.js';
import type { TypingPayload } from './typing.js';
import type { AuthDisconnectedPayload, AuthExpiredPayload, AuthExpiringPayload } from './session.js';

/** Sent once when a socket is let in (contract §2). */
export interface ConnectedPayload {
  socketId: string;
  user: { id: string; name: string; avatar: string; role: UserType; userType: UserType; isAnonymous: false };
  /** Epoch milliseconds. */
  timestamp: number;
}

/** Every event that the server sends, with the one argument that it carries (contract §1). */
export interface ServerEvents {
  error: ErrorEvent;
  connected: ConnectedPayload;
  'auth:expiring': AuthExpiringPayload;
  'auth:expired': AuthExpiredPayload;
  'auth:disconnected': AuthDisconnectedPayload;
  'dm:joined': ConversationJoinedPayload;
  'dm:history': DirectHistoryPayload;
  'dm:message_received': DirectMessagePayload;
  'dm:message_sent': DirectMessagePayload;
  'dm:typing_start': TypingPayload;
  'dm:typing_stop': TypingPayload;
  'dm:user_typing': TypingPayload;
  'dm:user_stopped_typing': TypingPayload;
  'dm:messages_read': MessagesReadPayload;
  'dm:messages_delivered': MessagesDeliveredPayload;
  'dm:message_updated': DirectMessagePayload;
  'dm:message_deleted': MessageDeletedPayload;
  'dm:reaction_updated': ReactionUpdatedPayload;
  'dm:report_created': ReportCreatedPayload;
  'call:token': CallTokenPayload;
  'call:incoming': CallIncomingPayload;
  'call:accept': CallAcceptPayload;
  'call:reject': CallRejectPayload;
  'call:connected': CallConnectedPayload;
  'call:end': CallEndPayload;
  'call:token_expiring': CallTokenExpiringPayload;
  'live:stream_started': LiveStreamStartedPayload;
  'live:stream_ended': LiveStreamEndedPayload;
  'live:end': LiveEndPayload;
  'live:comment': LiveCommentPayload;
  'live:comment_deleted': LiveCommentDeletedPayload;
  'live:pinned': LivePinnedPayload;
  'live:gift': LiveGiftPayload;
  'live:reaction': LiveReactionPayload;
  'live:like_count': LiveLikeCountPayload;
  'live:viewer_count': LiveViewerCountPayload;
  'live:viewer_joined': LiveViewerPayload;
  'live:viewer_left': LiveViewerPayload;
  'live:kicked': LiveKickedPayload;
  'live:muted': LiveMutedPayload;
  'chat:message': ChatMessagePayload;
  'chat:history': ChatHistoryPayload;
  'chat:typing': TypingPayload;
  'chat:stop_typing': TypingPayload;
  'chat:read': ChatReadPayload;
  'chat:removed': ChatRemovedPayload;
  'chat:online': ChatPresencePayload;
  'chat:offline': ChatPresencePayload;
  'astrologer:status_changed': AstrologerStatusPayload;
  stats: StatsPayload;
}

/** The same in the form in which Socket.IO's types want it. */
export type ServerToClientEvents = { [E in keyof ServerEvents]: (payload: ServerEvents[E]) => void };
