import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { BlockRepository } from './block.repository.js';
import { Block, BlockSchema } from './block.schema.js';
import { BlockService } from './block.service.js';
import { KnownBlocks } from './known-blocks.js';

@Module({
  imports: [MongooseModule.forFeature([{ name: Block.name, schema: BlockSchema }])],
  providers: [BlockService, BlockRepository, KnownBlocks],
  exports: [BlockService],
})
export class BlockModule {}
