import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { NodesModule } from '../nodes/nodes.module.js';
import { RealtimeModule } from '../realtime/realtime.module.js';
import { OpenRoomTimes } from './open-room-times.js';
import { OpenRoomsRepository } from './open-rooms.repository.js';
import { OpenRooms, OpenRoomsSchema } from './open-rooms.schema.js';
import { RoomMemory } from './room-memory.js';

@Module({
  imports: [
    NodesModule,
    RealtimeModule,
    MongooseModule.forFeature([{ name: OpenRooms.name, schema: OpenRoomsSchema }]),
  ],
  providers: [RoomMemory, OpenRoomsRepository, OpenRoomTimes],
  exports: [RoomMemory],
})
export class OpenRoomsModule {}
