import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** When somebody was last here, and whether the others have been told that they are. */
@Schema({ collection: 'presence', versionKey: false })
export class StoredPresence {
  /** `type:id`; all admins are one. */
  @Prop({ type: String })
  _id!: string;

  /**
   * Nodes on which they have a socket, or had one a moment ago: who comes into an empty list is announced as online, who leaves it empty as
   * offline. Each is one atomic operation, so of all nodes exactly one announces it.
   */
  @Prop({ type: [String], required: true })
  nodes!: string[];

  /** When they last came or went; never goes back. */
  @Prop({ type: Date, required: true })
  lastSeen!: Date;

  /** Of the token or profile with which they last came: a dead node's people are announced by those that live. */
  @Prop({ type: String })
  name?: string;

  @Prop({ type: String })
  avatar?: string;
}

export const StoredPresenceSchema = SchemaFactory.createForClass(StoredPresence);

StoredPresenceSchema.index({ nodes: 1 });
