import { Injectable } from '@nestjs/common';
import type { Types } from 'mongoose';
import type { Party } from '../contract/identity.js';
import { Gathering } from '../gathering/gathering.js';
import { banned, streamEnded, streamNotFound } from './live-rules.js';
import type { LiveComment } from './live-comment.schema.js';
import { LiveCommentRepository } from './live-comment.repository.js';
import { LiveStreamRepository } from './live-stream.repository.js';
import type { LiveStream } from './live-stream.schema.js';
import { LiveTimes } from './live-times.js';
import { LiveViewerRepository } from './live-viewer.repository.js';
import { type LiveViewer, viewerId } from './live-viewer.schema.js';

/** A stream, and what somebody is to it. */
export interface Look {
  stream: LiveStream | undefined;
  viewer: LiveViewer | undefined;
}

/** What a stream shows to whoever comes. */
export interface Stage {
  /** Oldest first. */
  comments: LiveComment[];
  pinned: LiveComment | undefined;
}

interface Asked {
  streamId: Types.ObjectId;
  person: Party;
}

const STAGE_COMMENTS = 50;

/**
 * Streams and viewers for those who join. Round trips: 2, side by side, for all who come within 15 ms, whatever their number and whichever
 * streams they join; 1 or 2 more for what each of these streams shows.
 */
@Injectable()
export class LiveLookService {
  private readonly looks: Gathering<Asked, Look>;
  private readonly stages: Gathering<LiveStream, Stage>;

  constructor(
    private readonly streams: LiveStreamRepository,
    private readonly viewers: LiveViewerRepository,
    private readonly comments: LiveCommentRepository,
    times: LiveTimes,
  ) {
    this.looks = new Gathering(times.gatheringMs, (asked) => this.look(asked), true);
    this.stages = new Gathering(times.gatheringMs, (streamsAsked) => this.readStages(streamsAsked), true);
  }

  at(streamId: Types.ObjectId, person: Party): Promise<Look> {
    return this.looks.run({ streamId, person });
  }

  stageOf(stream: LiveStream): Promise<Stage> {
    return this.stages.run(stream);
  }

  private async look(asked: Asked[]): Promise<Look[]> {
    const streamIds = [...new Map(asked.map(({ streamId }) => [streamId.toHexString(), streamId])).values()];
    const ids = asked.map(({ streamId, person }) => viewerId(streamId, person));
    const [streams, viewers] = await Promise.all([
      this.streams.findMany(streamIds),
      this.viewers.findAll([...new Set(ids)]),
    ]);
    const byId = new Map(streams.map((stream) => [stream._id.toHexString(), stream]));
    return asked.map(({ streamId }, index) => ({
      stream: byId.get(streamId.toHexString()),
      viewer: viewers.get(ids[index] as string),
    }));
  }

  private async readStages(streams: LiveStream[]): Promise<Stage[]> {
    const stages = new Map<string, Promise<Stage>>();
    for (const stream of streams) {
      const id = stream._id.toHexString();
      if (!stages.has(id)) stages.set(id, this.readStage(stream));
    }
    return Promise.all(streams.map(({ _id }) => stages.get(_id.toHexString()) as Promise<Stage>));
  }

  private async readStage({ _id, pinnedCommentId }: LiveStream): Promise<Stage> {
    const [newest, pinned] = await Promise.all([
      this.comments.findNewest(_id, STAGE_COMMENTS),
      pinnedCommentId === undefined ? null : this.comments.find(_id, pinnedCommentId),
    ]);
    return { comments: newest.toReversed(), pinned: pinned ?? undefined };
  }
}

/** Somebody who may watch a stream that is live. */
export interface Admitted {
  stream: LiveStream;
  viewer: LiveViewer | undefined;
}

/** @throws AppError NOT_FOUND; CONFLICT when it has ended; FORBIDDEN for who was banned */
export function admitted({ stream, viewer }: Look): Admitted {
  if (stream === undefined) throw streamNotFound();
  if (!stream.isLive) throw streamEnded();
  if (viewer?.bannedAt !== undefined) throw banned();
  return { stream, viewer };
}
