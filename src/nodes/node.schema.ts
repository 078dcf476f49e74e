import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** A running process of this server, as the others see it. */
@Schema({ collection: 'nodes', versionKey: false })
export class ServerNode {
  /** Random, new with every start. */
  @Prop({ type: String })
  _id!: string;

  @Prop({ type: String, required: true })
  host!: string;

  /** Where `pid` means something; see `processSpace`. */
  @Prop({ type: String, required: true })
  processSpace!: string;

  @Prop({ type: Number, required: true })
  pid!: number;

  @Prop({ type: Date, required: true })
  startedAt!: Date;

  /** When it last said that it lives; the database's clock. */
  @Prop({ type: Date, required: true })
  aliveAt!: Date;

  /** Set while others act on its loss; a node that finds it on itself was only slow. */
  @Prop({ type: Boolean })
  isLost?: boolean;

  /** Set when its loss was dealt with though it had come back meanwhile: what it wrote by then may be undone. */
  @Prop({ type: Boolean })
  isDisturbed?: boolean;
}

export const ServerNodeSchema = SchemaFactory.createForClass(ServerNode);
