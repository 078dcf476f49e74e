import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** The rooms that one socket has open, or had open when it went. */
@Schema({ collection: 'openrooms', versionKey: false })
export class OpenRooms {
  /** Id of the socket that opened them. */
  @Prop({ type: String })
  _id!: string;

  /** The socket that has them now: `_id`, or the one for which they came back. */
  @Prop({ type: String, required: true })
  socketId!: string;

  /** `type:id` of the identity; admins are told apart here. */
  @Prop({ type: String, required: true })
  identity!: string;

  @Prop({ type: String, required: true })
  nodeId!: string;

  /** `kind:id`. */
  @Prop({ type: [String], required: true })
  rooms!: string[];

  /** When the socket's end was noticed; absent while it is open. */
  @Prop({ type: Date })
  goneAt?: Date;

  /** When it was heard for certain for the last time, before `goneAt`. */
  @Prop({ type: Date })
  heardAt?: Date;
}

export const OpenRoomsSchema = SchemaFactory.createForClass(OpenRooms);

OpenRoomsSchema.index({ identity: 1, goneAt: 1 });
OpenRoomsSchema.index({ socketId: 1 });
OpenRoomsSchema.index({ nodeId: 1 });
// Queries go by their own limit; this only clears away.
OpenRoomsSchema.index({ goneAt: 1 }, { expireAfterSeconds: 60 });
