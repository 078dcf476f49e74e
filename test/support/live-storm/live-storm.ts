import { setTimeout as wait } from 'node:timers/promises';
import { LightClient } from '../../../bench/support/light-client.js';
import type { LiveActivePayload, LiveTokenPayload } from '../../../src/contract/live.js';
import { astrologer, type Person, user } from '../token.js';
import { Viewer } from './viewer.js';

/** Of everything that a viewer is sent while all join, on average (contract §5). */
const MAX_FRAMES = 20;
const MAX_AGE_OF_THE_GONE_MS = 30_000;
const PATIENCE_MS = 60_000;

/** A server under storm. */
export interface StormPlace {
  url: string;
  /** What Socket.IO's handshake gets of a person. */
  authOf: (person: Person) => Promise<object>;
}

let storms = 0;

/** A stream with many viewers, each a connection of its own. What goes wrong is noted in words. */
export class LiveStorm {
  readonly problems: string[] = [];
  readonly viewers: Viewer[] = [];
  private readonly vanished: Viewer[] = [];
  private readonly name = `storm${(storms += 1)}`;

  private constructor(
    private readonly place: StormPlace,
    readonly host: Viewer,
    readonly streamId: string,
  ) {
    this.noteFailures(host);
  }

  static async begin(place: StormPlace): Promise<LiveStorm> {
    const auth = await place.authOf(astrologer(`host${storms + 1}`));
    const host = new Viewer(await LightClient.greeted(place.url, auth));
    const { streamId } = await host.client.ask<LiveTokenPayload>('live:start', {});
    return new LiveStorm(place, host, streamId);
  }

  /**
   * So many more people connect, `atOnce` at a time, and join. Returns the milliseconds from the first connection to the last answer.
   */
  async join(count: number, atOnce: number): Promise<number> {
    const people = Array.from({ length: count }, (_, i) => user(`${this.name}-${this.viewers.length + i}`));
    const auths = (await Promise.all(people.map((person) => this.place.authOf(person)))).values();
    const startedAt = performance.now();
    const joinNext = async (): Promise<void> => {
      for (const auth of auths) this.viewers.push(await this.joinAs(auth));
    };
    await Promise.all(Array.from({ length: atOnce }, joinNext));
    return performance.now() - startedAt;
  }

  /** One more, who stops reading and says that they are alive. @param url another way to the server */
  async joinStalled(url = this.place.url): Promise<Viewer> {
    const viewer = await this.joinAs(await this.place.authOf(user(`${this.name}-stalled`)), url);
    viewer.client.stall();
    this.vanished.push(viewer);
    return viewer;
  }

  /** Until all who read were told, as the last thing, that so many watch. Returns when the first of them was: by the server's clock. */
  async countBecomes(count: number): Promise<number> {
    const listeners = [this.host, ...this.viewers];
    const wrong = (): Viewer[] => listeners.filter((viewer) => viewer.count !== count);
    for (const until = performance.now() + PATIENCE_MS; wrong().length > 0; await wait(50)) {
      if (performance.now() < until) continue;
      const [first] = wrong();
      this.problems.push(`${wrong().length} were told last that ${first?.count} watch, not ${count}`);
      break;
    }
    return this.host.counts.at(-1)?.timestamp ?? Number.NaN;
  }

  /** Returns how many frames a viewer has been sent, on average. To be called when all have joined. */
  checkFrames(): number {
    const frames = this.viewers.reduce((sum, { client }) => sum + client.frameCount, 0) / this.viewers.length;
    if (!(frames < MAX_FRAMES)) this.problems.push(`${frames.toFixed(1)} frames were sent to each viewer`);
    return frames;
  }

  checkCounts(): void {
    const often = [this.host, ...this.viewers].filter(({ isToldTooOften }) => isToldTooOften).length;
    if (often > 0)
      this.problems.push(`${often} were told a count more than once a second, or twice the same`);
  }

  /** Every second viewer's network is gone, and nobody says goodbye. Returns the milliseconds until the count was right again. */
  async loseHalf(): Promise<number> {
    const { viewers } = this;
    const gone = viewers.filter((_, index) => index % 2 === 0);
    const rest = viewers.filter((_, index) => index % 2 === 1);
    const at = Date.now();
    for (const { client } of gone) client.vanish();
    this.vanished.push(...gone);
    viewers.splice(0, viewers.length, ...rest);
    const milliseconds = (await this.countBecomes(rest.length)) - at;
    if (!(milliseconds < MAX_AGE_OF_THE_GONE_MS))
      this.problems.push(`The gone were counted for ${milliseconds} ms`);
    return milliseconds;
  }

  /**
   * The stream is still listed with its viewers, and still takes its broadcaster's heartbeat.
   * @param stalled how many of those who do not read are there still
   */
  async checkGoesOn(stalled = 0): Promise<void> {
    await this.host.client.ask('live:heartbeat', { streamId: this.streamId });
    const { streams } = await this.host.client.ask<LiveActivePayload>('live:active', { limit: 100 });
    const stream = streams.find(({ streamId }) => streamId === this.streamId);
    if (stream?.isLive !== true || stream.viewerCount !== this.viewers.length + stalled)
      this.problems.push(`The stream is listed as ${JSON.stringify(stream)}`);
  }

  /** Everybody goes, and the stream ends. */
  async end(): Promise<void> {
    await this.host.client.ask('live:end', { streamId: this.streamId });
    this.close();
  }

  close(): void {
    for (const { client } of [this.host, ...this.viewers, ...this.vanished]) client.close();
  }

  private async joinAs(auth: object, url = this.place.url): Promise<Viewer> {
    const viewer = new Viewer(await LightClient.greeted(url, auth));
    this.noteFailures(viewer);
    await viewer.client.ask('live:join', { streamId: this.streamId });
    return viewer;
  }

  private noteFailures(viewer: Viewer): void {
    viewer.client.onFailure = ({ message }) => {
      if (!this.vanished.includes(viewer)) this.problems.push(message);
    };
  }
}
