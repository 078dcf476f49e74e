import type { CallMedia } from './call.js';
import type { UserType } from './identity.js';

/** Times in `live:` events are epoch milliseconds (contract §1). */

/** A stream: in `live:active`, and in the snapshot of `live:join`. */
export interface LiveStreamPayload {
  streamId: string;
  /** The same as `streamId`: both names are in use by clients. */
  _id: string;
  astrologerId: string;
  astrologerName: string;
  astrologerProfilePicture: string;
  title: string;
  description: string;
  category: string;
  tags: string[];
  isLive: boolean;
  startedAt: number;
  viewerCount: number;
  peakViewerCount: number;
  /** Distinct people who have ever watched. */
  totalViews: number;
  likeCount: number;
  giftCount: number;
  giftValue: number;
}

/** The ack of `live:start` and `live:token`. */
export interface LiveTokenPayload extends CallMedia {
  streamId: string;
  /** Whether the token may publish: the owner's. */
  isBroadcaster: boolean;
  expiresAt: number;
}

/** `live:stream_started`, to everybody who is connected. */
export interface LiveStreamStartedPayload {
  streamId: string;
  _id: string;
  astrologerId: string;
  astrologerName: string;
  astrologerProfilePicture: string;
  title: string;
  category: string;
  isLive: true;
  timestamp: number;
}

/** `live:comment`; a gift comes as one, too, with `isGift`. */
export interface LiveCommentPayload {
  id: string;
  /** The same as `id`. */
  _id: string;
  streamId: string;
  userId: string;
  userType: UserType;
  userName: string;
  userAvatar: string;
  /** As it was typed, without control characters: clients escape it. */
  message: string;
  timestamp: number;
  isGift: boolean;
  /** Of a gift. */
  giftType?: string;
  giftValue?: number;
}

/** The ack of `live:join`. */
export interface LiveSnapshotPayload extends LiveTokenPayload {
  stream: LiveStreamPayload;
  viewerCount: number;
  likeCount: number;
  /** Whether the caller likes it. */
  liked: boolean;
  /** Whether the caller may not comment. */
  muted: boolean;
  /** The newest 50, oldest first. */
  comments: LiveCommentPayload[];
  pinned: LiveCommentPayload | null;
}

/** The ack of events that change where one is. */
export interface LivePlacePayload {
  streamId: string;
  success: true;
}

/** `live:viewer_count`: at most once a second, and only when it changed. */
export interface LiveViewerCountPayload {
  streamId: string;
  /** Distinct people who watch, on all nodes, without the broadcaster. */
  count: number;
  timestamp: number;
}

/** `live:viewer_joined`, `live:viewer_left`: one by one only while 50 or fewer watch. */
export interface LiveViewerPayload {
  streamId: string;
  user: { id: string; name: string; profileImage: string };
  viewerCount: number;
  timestamp: number;
}

/** `live:like_count`. */
export interface LiveLikeCountPayload {
  streamId: string;
  count: number;
  timestamp: number;
}

/** The ack of `live:like` and `live:unlike`. */
export interface LiveLikePayload {
  streamId: string;
  liked: boolean;
}

/** `live:gift`, and its ack. */
export interface LiveGiftPayload {
  id: string;
  streamId: string;
  senderId: string;
  senderType: UserType;
  senderName: string;
  senderAvatar: string;
  giftType: string;
  giftValue: number;
  timestamp: number;
}

/** `live:reaction`: what came within a tenth of a second, bundled by type. */
export interface LiveReactionPayload {
  streamId: string;
  reactionType: string;
  /** Of the newest of them. */
  userId: string;
  count: number;
  timestamp: number;
}

/** `live:end`, to the room. */
export interface LiveEndPayload {
  streamId: string;
  message: string;
  timestamp: number;
}

/** `live:stream_ended`, to everybody who is connected. */
export interface LiveStreamEndedPayload {
  streamId: string;
  astrologerId: string;
  astrologerName: string;
  timestamp: number;
}

/** The ack of `live:end`. */
export interface LiveSummaryPayload {
  streamId: string;
  startedAt: number;
  endedAt: number;
  /** Whole seconds. */
  duration: number;
  peakViewerCount: number;
  totalViews: number;
  likeCount: number;
  giftCount: number;
  giftValue: number;
}

/** The ack of `live:active`. */
export interface LiveActivePayload {
  /** Newest first. */
  streams: LiveStreamPayload[];
  /** For the next page; null on the last one. */
  nextCursor: string | null;
}

/** The ack of `live:comments`. */
export interface LiveCommentsPayload {
  streamId: string;
  /** Oldest first. */
  comments: LiveCommentPayload[];
  /** For the page before; null when there is none. */
  nextCursor: string | null;
}

/** `live:kicked`, to the sockets of somebody who was put out. */
export interface LiveKickedPayload {
  streamId: string;
  reason: string;
  timestamp: number;
}

/** `live:muted`, to the sockets of somebody who may not, or may again, comment. */
export interface LiveMutedPayload {
  streamId: string;
  muted: boolean;
  timestamp: number;
}

/** `live:pinned`, to the room: the comment that stands above all others; null when none does. */
export interface LivePinnedPayload {
  streamId: string;
  comment: LiveCommentPayload | null;
  timestamp: number;
}

/** `live:comment_deleted`, to the room. */
export interface LiveCommentDeletedPayload {
  streamId: string;
  commentId: string;
  timestamp: number;
}

/** The ack of `live:mute`, `live:ban` and `live:unban`. */
export interface LiveModerationPayload {
  streamId: string;
  userId: string;
  userType: UserType;
  muted: boolean;
  banned: boolean;
}
