/** Who watches on the other nodes; each node says who does on its own. */
export abstract class ViewerStore {
  /**
   * Says who watches a stream on this node, and returns who does on others, by `partyKey`. What a node says lapses when it does not say it
   * again. Never rejects: when others cannot be asked, nobody is there.
   * @param own empty when nobody watches here any more
   */
  abstract exchange(streamId: string, own: ReadonlySet<string>): Promise<ReadonlySet<string>>;

  /** Only asks who watches on other nodes. Never rejects. */
  abstract others(streamId: string): Promise<ReadonlySet<string>>;
}
