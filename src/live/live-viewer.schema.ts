import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { Types } from 'mongoose';
import { type Party, partyKey } from '../contract/identity.js';

/** What one person is to one stream: has watched it, likes it, may comment, may come. Kept when they leave. */
@Schema({ collection: 'liveviewers', versionKey: false })
export class LiveViewer {
  /** `viewerId`. */
  @Prop({ type: String })
  _id!: string;

  @Prop({ type: String, required: true })
  streamId!: string;

  /** `partyKey`. */
  @Prop({ type: String, required: true })
  person!: string;

  /** Absent until they come for the first time: somebody can be banned before. */
  @Prop({ type: Date })
  firstSeenAt?: Date;

  @Prop({ type: Boolean })
  likes?: boolean;

  @Prop({ type: Date })
  mutedAt?: Date;

  @Prop({ type: Date })
  bannedAt?: Date;

  /** Their newest comments, newest first, as many as slow mode looks at; by the database's clock. */
  @Prop({ type: [Date], default: undefined })
  commentedAt?: Date[];

  /** The newest of them, and when they last asked to comment, by the same clock: so the one who asked knows what came of it. */
  @Prop({ type: Types.ObjectId })
  newestCommentId?: Types.ObjectId;

  @Prop({ type: Date })
  commentAskedAt?: Date;
}

export const LiveViewerSchema = SchemaFactory.createForClass(LiveViewer);

LiveViewerSchema.index({ streamId: 1 }, { partialFilterExpression: { likes: true } });
LiveViewerSchema.index(
  { streamId: 1, firstSeenAt: 1 },
  { partialFilterExpression: { firstSeenAt: { $exists: true } } },
);
LiveViewerSchema.index(
  { streamId: 1, bannedAt: 1 },
  { partialFilterExpression: { bannedAt: { $exists: true } } },
);

/** Ids of people contain no spaces, and those of streams neither. */
export function viewerId(streamId: Types.ObjectId, person: Party): string {
  return `${streamId.toHexString()} ${partyKey(person)}`;
}
