import { Injectable } from '@nestjs/common';
import type { LiveActivePayload } from '../contract/live.js';
import type { ActiveStreamsDto } from './live.dto.js';
import { toStreamPayload } from './live.mapper.js';
import { toStreamId } from './live-rules.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import { ViewerCountsService } from './viewer-counts.service.js';

const DEFAULT_LIMIT = 20;

/** The streams that are live (contract §5). One round trip, and one Redis command a second for each stream that nobody watches on this node. */
@Injectable()
export class StreamListService {
  constructor(
    private readonly streams: LiveStreamRepository,
    private readonly viewers: ViewerCountsService,
  ) {}

  async active({ cursor, limit }: ActiveStreamsDto): Promise<LiveActivePayload> {
    const size = limit ?? DEFAULT_LIMIT;
    const before = typeof cursor === 'string' ? toStreamId(cursor) : undefined;
    const found = await this.streams.findLive(size + 1, before);
    const page = found.slice(0, size);
    const counts = await Promise.all(page.map(({ _id }) => this.viewers.sizeOf(_id.toHexString())));
    const last = page.at(-1);
    return {
      streams: page.map((stream, index) => toStreamPayload(stream, counts[index] ?? 0)),
      nextCursor: found.length > size && last !== undefined ? last._id.toHexString() : null,
    };
  }
}
