/** The spellings a beam search has in hand, as a tree in typed arrays: one node a prefix. */

/**
 * Nodes are numbered as they are added; node 0 is the empty prefix. The tree can be cut back to an
 * earlier size, which is how a decoder takes frames back.
 */
export class PrefixTree {
  /** How many nodes there are; to be changed by `add` and `truncate` only. */
  size = 0;
  /** Per node: the node of the prefix without its last symbol. */
  parent: Int32Array<ArrayBuffer>;
  /** Per node: the last symbol; −1 at the root. */
  symbol: Int32Array<ArrayBuffer>;
  /** Per node: where the unfinished word stands in the language model's letter tree; −1 off the list. */
  letterNode: Int32Array<ArrayBuffer>;
  /** Per node: the language model's context before the unfinished word. */
  context: Int32Array<ArrayBuffer>;
  /** Per node: letters of the unfinished word. */
  letters: Int32Array<ArrayBuffer>;
  /** Per node: weighted language score of the finished words. */
  settled: Float64Array<ArrayBuffer>;
  /** Per node: weighted estimate for the unfinished word. */
  expected: Float64Array<ArrayBuffer>;
  /** Per node: the decoder's note of the frame in which it was last a candidate. */
  seen: Int32Array<ArrayBuffer>;
  /** Per node: the decoder's note of where among the candidates. */
  slot: Int32Array<ArrayBuffer>;
  #firstChild: Int32Array<ArrayBuffer>;
  #nextSibling: Int32Array<ArrayBuffer>;

  constructor(capacity = 4096) {
    const integers = (): Int32Array<ArrayBuffer> => new Int32Array(capacity);
    this.parent = integers();
    this.symbol = integers();
    this.letterNode = integers();
    this.context = integers();
    this.letters = integers();
    this.settled = new Float64Array(capacity);
    this.expected = new Float64Array(capacity);
    this.seen = integers();
    this.slot = integers();
    this.#firstChild = integers();
    this.#nextSibling = integers();
    this.add(-1, -1);
  }

  /** The node of `parent` with one more symbol; −1 when it was never added. */
  child(parent: number, symbol: number): number {
    let node = this.#firstChild[parent]!;
    while (node >= 0 && this.symbol[node] !== symbol) node = this.#nextSibling[node]!;
    return node;
  }

  /** Adds a child; its language fields are the caller's to fill. */
  add(parent: number, symbol: number): number {
    if (this.size === this.parent.length) this.#grow();
    const node = this.size++;
    this.parent[node] = parent;
    this.symbol[node] = symbol;
    this.seen[node] = -1;
    this.#firstChild[node] = -1;
    if (parent >= 0) {
      this.#nextSibling[node] = this.#firstChild[parent]!;
      this.#firstChild[parent] = node;
    }
    return node;
  }

  /** Removes every node from number `size` on. */
  truncate(size: number): void {
    // The youngest node is always the first child of its parent, so unlinking backwards is exact.
    while (this.size > size) {
      const node = --this.size;
      const parent = this.parent[node]!;
      if (parent >= 0) this.#firstChild[parent] = this.#nextSibling[node]!;
    }
  }

  /** The symbols from the root to a node. */
  path(node: number): number[] {
    const symbols: number[] = [];
    for (let at = node; this.symbol[at]! >= 0; at = this.parent[at]!)
      symbols.push(this.symbol[at]!);
    return symbols.reverse();
  }

  #grow(): void {
    const length = this.parent.length * 2;
    const integers = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const grown = new Int32Array(length);
      grown.set(old);
      return grown;
    };
    const floats = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(length);
      grown.set(old);
      return grown;
    };
    this.parent = integers(this.parent);
    this.symbol = integers(this.symbol);
    this.letterNode = integers(this.letterNode);
    this.context = integers(this.context);
    this.letters = integers(this.letters);
    this.settled = floats(this.settled);
    this.expected = floats(this.expected);
    this.seen = integers(this.seen);
    this.slot = integers(this.slot);
    this.#firstChild = integers(this.#firstChild);
    this.#nextSibling = integers(this.#nextSibling);
  }
}
