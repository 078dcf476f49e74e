import { Injectable, Logger } from '@nestjs/common';
import type { Types } from 'mongoose';
import { LRUCache } from 'lru-cache';
import { type Party } from '../contract/identity.js';
import { OutageLog } from '../logging/outage-log.js';
import { Gathering } from '../gathering/gathering.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import { LiveTimes } from './live-times.js';
import { LiveViewerRepository } from './live-viewer.repository.js';
import { viewerId } from './live-viewer.schema.js';

const REMEMBERED_VIEWERS = 50_000;

interface View {
  streamId: Types.ObjectId;
  person: Party;
}

/**
 * Who watches a stream for the first time, for its total of views (contract §5). Nobody waits for it. A node that dies between the two
 * writes leaves the total too low until it is counted at the stream's end.
 *
 * Round trips: 2 for all of a stream who come within 15 ms and whom this node does not remember.
 */
@Injectable()
export class FirstViewsService {
  private readonly outage = new OutageLog(
    new Logger(FirstViewsService.name),
    'Views cannot be noted for now',
  );
  private readonly seen = new LRUCache<string, true>({ max: REMEMBERED_VIEWERS });
  private readonly views: Gathering<View, void>;

  constructor(
    private readonly viewers: LiveViewerRepository,
    private readonly streams: LiveStreamRepository,
    times: LiveTimes,
  ) {
    this.views = new Gathering(times.gatheringMs, (views) => this.store(views), true);
  }

  note(streamId: Types.ObjectId, person: Party): void {
    const id = viewerId(streamId, person);
    if (this.seen.has(id)) return;
    this.seen.set(id, true);
    this.views.run({ streamId, person }).then(
      () => this.outage.worked(),
      (error: unknown) => {
        this.seen.delete(id);
        this.outage.failed(error);
      },
    );
  }

  private async store(views: View[]): Promise<void[]> {
    const byStream = new Map<string, View[]>();
    for (const view of views) {
      const id = view.streamId.toHexString();
      byStream.set(id, [...(byStream.get(id) ?? []), view]);
    }
    await Promise.all([...byStream.values()].map((group) => this.storeOne(group)));
    return views.map(() => undefined);
  }

  private async storeOne(views: View[]): Promise<void> {
    const [first] = views;
    if (first === undefined) return;
    const people = views.map(({ person }) => person);
    const added = await this.viewers.noteFirst(first.streamId, people, new Date());
    if (added > 0) await this.streams.addViews(first.streamId, added);
  }
}
