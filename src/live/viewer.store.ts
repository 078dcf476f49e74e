/** Who watches on the other nodes; each node says who does on its own. */
export abstract class ViewerStore {
  /**
   * Says who watches a stream on this node, and returns who does on others, by `partyKey`. What a node says lapses when it does not say it
   * again. Never rejects: while others cannot be asked, those are there who were, until what they said lapses.
   * @param own empty when nobody watches here any more
   */
  abstract exchange(streamId: string, own: ReadonlySet<string>): Promise<ReadonlySet<string>>;

  /** Only asks how many watch on other nodes. Never rejects. */
  abstract countOthers(streamId: string): Promise<number>;
}
