const BITS_PER_PAGE = 1 << 15;
const PAGE_BYTES = BITS_PER_PAGE / 8;

/** A set of record ids, one bit each: a million of them take 128 KB. */
export class RecordSet {
  private readonly pages = new Map<number, Uint8Array>();

  /** False when the id was there already. */
  add(recordId: number): boolean {
    const number = Math.floor(recordId / BITS_PER_PAGE);
    const bit = recordId % BITS_PER_PAGE;
    let page = this.pages.get(number);
    if (!page) {
      page = new Uint8Array(PAGE_BYTES);
      this.pages.set(number, page);
    }
    const byte = page[bit >> 3] ?? 0;
    const mask = 1 << (bit & 7);
    if (byte & mask) return false;
    page[bit >> 3] = byte | mask;
    return true;
  }
}
