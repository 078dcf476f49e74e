import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { Types } from 'mongoose';

/**
 * A stream (contract §5), in the former backend's collection. Another process may have made the document, with whatever fields it has: what is
 * read of it goes through live.mapper.ts.
 */
@Schema({ collection: 'livestreams', versionKey: false })
export class LiveStream {
  _id!: Types.ObjectId;

  /** A former backend stores an ObjectId. */
  @Prop({ type: Object, required: true })
  astrologerId!: string | Types.ObjectId;

  @Prop({ type: String })
  astrologerName?: string;

  @Prop({ type: String })
  astrologerProfilePicture?: string;

  @Prop({ type: String })
  title?: string;

  @Prop({ type: String })
  description?: string;

  @Prop({ type: String })
  category?: string;

  @Prop({ type: [String], default: undefined })
  tags?: string[];

  @Prop({ type: String })
  channelName?: string;

  @Prop({ type: Boolean, required: true })
  isLive!: boolean;

  /** The astrologer's id while the stream is live; the unique index over it is the rule of one live stream each. */
  @Prop({ type: String })
  onAir?: string;

  @Prop({ type: Date })
  startedAt?: Date;

  @Prop({ type: Date })
  createdAt?: Date;

  @Prop({ type: Date })
  endedAt?: Date;

  /** When the broadcaster was last heard of, by us or by a former backend. */
  @Prop({ type: Date })
  lastHeartbeat?: Date;

  @Prop({ type: Number })
  peakViewerCount?: number;

  @Prop({ type: Number })
  totalViews?: number;

  @Prop({ type: Number })
  likeCount?: number;

  /** Tickets of counts of the likes: the highest one that was drawn, and that of the count which `likeCount` is. */
  @Prop({ type: Number })
  likeTicket?: number;

  @Prop({ type: Number })
  likeTicketCounted?: number;

  @Prop({ type: Number })
  giftCount?: number;

  @Prop({ type: Number })
  giftValue?: number;

  /** Gifts that were added to the totals lately: none of them is added twice. */
  @Prop({ type: [Types.ObjectId], default: undefined })
  giftsCounted?: Types.ObjectId[];

  @Prop({ type: Types.ObjectId })
  pinnedCommentId?: Types.ObjectId;

  /** That the end was told, or is to be: absent when another process stored it. */
  @Prop({ type: Boolean })
  isEndNoted?: boolean;

  /** The end was stored, and is to be told by another node at this time, because the one that stored it has not said that it did. */
  @Prop({ type: Date })
  endToldDue?: Date;
}

export const LiveStreamSchema = SchemaFactory.createForClass(LiveStream);

// Not of ended ones: another process that ends a stream leaves `onAir` where it is.
LiveStreamSchema.index(
  { onAir: 1 },
  { unique: true, partialFilterExpression: { isLive: true, onAir: { $exists: true } } },
);
LiveStreamSchema.index({ astrologerId: 1 }, { partialFilterExpression: { isLive: true } });
LiveStreamSchema.index({ isLive: 1, _id: -1 }, { partialFilterExpression: { isLive: true } });
// A call looks for a channel's name here, too: over streams that have ended as well.
LiveStreamSchema.index({ channelName: 1 });
LiveStreamSchema.index({ endToldDue: 1 }, { partialFilterExpression: { endToldDue: { $exists: true } } });
