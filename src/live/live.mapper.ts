import type { AgoraToken } from '../agora/agora-token.service.js';
import type {
  LiveCommentPayload,
  LiveGiftPayload,
  LiveKickedPayload,
  LiveStreamPayload,
  LiveSummaryPayload,
  LiveTokenPayload,
} from '../contract/live.js';
import type { GiftToCharge } from './gift-ledger.js';
import type { LiveComment } from './live-comment.schema.js';
import type { LiveGift } from './live-gift.schema.js';
import type { LiveStream } from './live-stream.schema.js';
import { dateOf, ownerOf, startOf, textOf } from './live-rules.js';

export function toStreamPayload(stream: LiveStream, viewerCount: number): LiveStreamPayload {
  const streamId = stream._id.toHexString();
  return {
    streamId,
    _id: streamId,
    astrologerId: ownerOf(stream).id,
    astrologerName: textOf(stream.astrologerName),
    astrologerProfilePicture: textOf(stream.astrologerProfilePicture),
    title: textOf(stream.title),
    description: textOf(stream.description),
    category: textOf(stream.category),
    tags: Array.isArray(stream.tags) ? stream.tags.filter((tag) => textOf(tag) !== '') : [],
    isLive: stream.isLive,
    startedAt: startOf(stream).getTime(),
    viewerCount,
    ...toTotals(stream),
  };
}

export function toSummary(stream: LiveStream): LiveSummaryPayload {
  const startedAt = startOf(stream).getTime();
  const endedAt = (dateOf(stream.endedAt) ?? new Date()).getTime();
  return {
    streamId: stream._id.toHexString(),
    startedAt,
    endedAt,
    duration: Math.max(0, Math.floor((endedAt - startedAt) / 1000)),
    ...toTotals(stream),
  };
}

function toTotals(stream: LiveStream) {
  return {
    peakViewerCount: numberOf(stream.peakViewerCount),
    totalViews: numberOf(stream.totalViews),
    likeCount: numberOf(stream.likeCount),
    giftCount: numberOf(stream.giftCount),
    giftValue: numberOf(stream.giftValue),
  };
}

/** A stored total; 0 for whatever else another process has written in its place. */
function numberOf(stored: unknown): number {
  return typeof stored === 'number' && Number.isFinite(stored) ? stored : 0;
}

export function toCommentPayload(comment: LiveComment): LiveCommentPayload {
  const id = comment._id.toHexString();
  return {
    id,
    _id: id,
    streamId: comment.streamId,
    userId: comment.userId,
    userType: comment.userType,
    userName: comment.userName,
    userAvatar: comment.userAvatar,
    message: comment.message,
    timestamp: (dateOf(comment.timestamp) ?? comment._id.getTimestamp()).getTime(),
    isGift: comment.isGift === true,
    ...(comment.isGift === true && { giftType: comment.giftType, giftValue: comment.giftValue }),
  };
}

/** As it stands among the comments, under its own id. */
export function toGiftComment(gift: LiveGift): LiveComment {
  const { _id, streamId, giftType, giftValue, timestamp } = gift;
  return {
    _id,
    streamId,
    userId: gift.senderId,
    userType: gift.senderType,
    userName: gift.senderName,
    userAvatar: gift.senderAvatar,
    message: `Sent a gift: ${giftType}`,
    timestamp,
    isGift: true,
    giftType,
    giftValue,
  };
}

export function toGiftPayload(gift: LiveGift): LiveGiftPayload {
  const { _id, streamId, senderId, senderType, senderName, senderAvatar, giftType, giftValue } = gift;
  return {
    id: _id.toHexString(),
    streamId,
    senderId,
    senderType,
    senderName,
    senderAvatar,
    giftType,
    giftValue,
    timestamp: gift.timestamp.getTime(),
  };
}

export function toCharge({ _id, streamId, giftType, giftValue, ...gift }: LiveGift): GiftToCharge {
  return {
    id: _id.toHexString(),
    streamId,
    sender: { id: gift.senderId, type: gift.senderType },
    recipient: { id: gift.astrologerId, type: 'astrologer' },
    giftType,
    giftValue,
  };
}

export function kickedPayload(streamId: string): LiveKickedPayload {
  return { streamId, reason: 'banned', timestamp: Date.now() };
}

export function toTokenPayload(
  { _id }: LiveStream,
  token: AgoraToken,
  isBroadcaster: boolean,
): LiveTokenPayload {
  const { agoraToken, agoraAppId, channelName, uid, expiresAt } = token;
  return {
    streamId: _id.toHexString(),
    channelName,
    agoraToken,
    agoraAppId,
    uid,
    isBroadcaster,
    expiresAt: expiresAt.getTime(),
  };
}
