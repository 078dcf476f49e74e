/**
 * Watches that all who see a stream see the same, once and in the same order. Costs a comparison of two texts for each delivery, so that a
 * machine that has to carry it beside the servers can.
 */
export class SameOrder {
  /** By place in the order; what everybody has seen is let go. */
  private readonly texts: string[] = [];
  private readonly seenBy: number[] = [];
  private viewers = 0;
  /** How many texts have reached somebody, all together. */
  deliveries = 0;

  /**
   * @param onEverywhere called, in order, with each text that everybody has seen
   * @param onWrong called when somebody sees another text than those before them
   */
  constructor(
    private readonly onEverywhere: (text: string) => void,
    private readonly onWrong: (problem: string) => void,
  ) {}

  /** Texts that somebody has seen. */
  get length(): number {
    return this.texts.length;
  }

  /** One more viewer, who sees all from now on: to be called with each text that they get. */
  viewer(): (text: string) => void {
    this.viewers += 1;
    let at = this.texts.length;
    return (text) => {
      this.see(at, text);
      at += 1;
    };
  }

  private see(at: number, text: string): void {
    this.deliveries += 1;
    if (at === this.texts.length) {
      this.texts.push(text);
      this.seenBy.push(0);
    }
    const expected = this.texts[at];
    if (text !== expected) this.onWrong(`got number ${at + 1} as ${text}, which others got as ${expected}`);
    const seenBy = (this.seenBy[at] ?? 0) + 1;
    this.seenBy[at] = seenBy;
    if (seenBy < this.viewers) return;
    this.texts[at] = '';
    this.onEverywhere(text);
  }
}
