/** The best few of many, in order, without allocating. */

/** Keeps the items with the highest scores; earlier ones win ties. */
export class TopList {
  /** Best first; only the first `size` count. */
  readonly items: Int32Array<ArrayBuffer>;
  /** The score of each item. */
  readonly scores: Float64Array<ArrayBuffer>;
  /** How many items there are. */
  size = 0;

  constructor(capacity: number) {
    this.items = new Int32Array(capacity);
    this.scores = new Float64Array(capacity);
  }

  /** Empties the list. */
  clear(): void {
    this.size = 0;
  }

  /** Takes an item in if it is among the best so far. */
  offer(item: number, score: number): void {
    const { items, scores } = this;
    const full = this.size === items.length;
    if (full && score <= scores[this.size - 1]!) return;
    let at = full ? this.size - 1 : this.size++;
    for (; at > 0 && scores[at - 1]! < score; at--) {
      scores[at] = scores[at - 1]!;
      items[at] = items[at - 1]!;
    }
    scores[at] = score;
    items[at] = item;
  }
}
