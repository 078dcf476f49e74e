import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { DatabaseModule } from '../database/database.module.js';
import { NodeRegistry } from './node-registry.js';
import { NodeTimes } from './node-times.js';
import { NodeRepository } from './node.repository.js';
import { ServerNode, ServerNodeSchema } from './node.schema.js';

@Module({
  // The import of the database makes it close after this module has said goodbye.
  imports: [DatabaseModule, MongooseModule.forFeature([{ name: ServerNode.name, schema: ServerNodeSchema }])],
  providers: [NodeRegistry, NodeRepository, NodeTimes],
  exports: [NodeRegistry],
})
export class NodesModule {}
