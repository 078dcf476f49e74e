import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** The rooms that one socket has open, or had open when it went. */
@Schema({ collection: 'openrooms', versionKey: false })
export class OpenRooms {
  /** Id of the socket. */
  @Prop({ type: String })
  _id!: string;

  /** `type:id` of the identity; admins are told apart here. */
  @Prop({ type: String, required: true })
  identity!: string;

  @Prop({ type: String, required: true })
  nodeId!: string;

  @Prop({ type: Date, required: true })
  arrivedAt!: Date;

  /** `kind:id`. */
  @Prop({ type: [String], required: true })
  rooms!: string[];

  /** Those that came back and were left then: what older sockets say of them is out of date for whoever comes after this one. */
  @Prop({ type: [String], required: true })
  left!: string[];

  /** When the socket's end was noticed; absent while it is open. */
  @Prop({ type: Date })
  goneAt?: Date;
}

export const OpenRoomsSchema = SchemaFactory.createForClass(OpenRooms);

OpenRoomsSchema.index({ identity: 1, goneAt: 1 });
OpenRoomsSchema.index({ nodeId: 1 });
// Queries go by their own limit; this only clears away.
OpenRoomsSchema.index({ goneAt: 1 }, { expireAfterSeconds: 60 });
