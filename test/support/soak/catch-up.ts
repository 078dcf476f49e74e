import type { ConversationView } from './conversation-view.js';
import type { Ask, SoakDriver } from './driver.js';

/** Short pages, so that there are several even for people with few conversations and few messages. */
const LIST_LIMIT = 2;
const HISTORY_LIMIT = 20;

/** Catches up as docs/events.md says, after any time away and however often that is cut off. */
export class CatchUp {
  /** The largest `updatedAt` of what was caught up with wholly; empty before the first time. */
  private caughtUpTo = '';

  /** @param marginMs what is taken off `updatedAfter`, for servers of several nodes */
  constructor(
    private readonly driver: SoakDriver,
    private readonly views: Map<string, ConversationView>,
    private readonly marginMs: number,
    private readonly complain: (fault: string) => void,
  ) {}

  async run(ask: Ask): Promise<void> {
    let updatedAfter = this.caughtUpTo && new Date(Date.parse(this.caughtUpTo) - this.marginMs).toISOString();
    let pages: number;
    do {
      const found = await this.readList(ask, updatedAfter);
      ({ pages } = found);
      if (found.newest > updatedAfter) updatedAfter = found.newest;
      // What changed while a list of several pages was read may have passed from a later page to an earlier one.
    } while (pages > 1);
    for (const view of this.views.values()) await this.readNewer(view, ask);
    if (updatedAfter > this.caughtUpTo) this.caughtUpTo = updatedAfter;
  }

  /** Asks for history until there is nothing that was heard of and is not there. One at a time for each conversation. */
  async readNewer(view: ConversationView, ask: Ask): Promise<void> {
    view.reading ??= this.readHistory(view, ask).finally(() => {
      view.reading = undefined;
    });
    await view.reading;
  }

  private async readList(ask: Ask, updatedAfter: string): Promise<{ pages: number; newest: string }> {
    let [pages, newest] = [0, ''];
    let cursor: string | null = null;
    do {
      const window = { limit: LIST_LIMIT, cursor, ...(updatedAfter && { updatedAfter }) };
      const page = await this.driver.readList(ask, window);
      for (const entry of page.entries) {
        const view = this.views.get(entry.conversationId);
        if (view === undefined) this.complain(`was shown the conversation ${entry.conversationId}`);
        view?.keepEntry(entry);
        if (entry.updatedAt > newest) newest = entry.updatedAt;
      }
      pages += 1;
      cursor = page.nextCursor;
    } while (cursor !== null);
    return { pages, newest };
  }

  private async readHistory(view: ConversationView, ask: Ask): Promise<void> {
    const { conversationId } = view.talk;
    for (let hasMore = view.isBehind; hasMore || view.isBehind;) {
      const afterSeq = view.lastSeq;
      const page = await this.driver.readHistory(ask, {
        conversationId,
        afterSeq,
        limit: HISTORY_LIMIT,
      });
      view.keepPage(page.messages);
      ({ hasMore } = page);
      if (view.lastSeq === afterSeq && view.isBehind) {
        this.complain(`the history of ${conversationId} after ${afterSeq} lacks ${afterSeq + 1}`);
        return;
      }
    }
  }
}
