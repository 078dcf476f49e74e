import { ViewerStore } from './viewer.store.js';

const NOBODY: ReadonlySet<string> = new Set();

/** For a single node: there are no others. */
export class MemoryViewerStore extends ViewerStore {
  override async exchange(): Promise<ReadonlySet<string>> {
    return NOBODY;
  }

  override async countOthers(): Promise<number> {
    return 0;
  }
}
