/** The frames of a stream that one decoder run is about, and the one before the next frame to come. */
import type { CtcAlphabet } from './ctc/alphabet.ts';
import { likeliest } from './ctc/greedy-decoder.ts';

/** Frames of silence between words that count as a pause. */
const pauseRows = 5;

/** Frames of log posteriors from `first` (counted from the stream's beginning) up to `next`. */
export class CtcPiece {
  readonly first: number;
  #columns: number;
  #blank: number;
  #space: number;
  #values = new Float32Array(8192);
  #length = 0;

  constructor(first: number, alphabet: CtcAlphabet) {
    this.first = first;
    this.#columns = alphabet.symbols.length;
    this.#blank = alphabet.blank;
    this.#space = alphabet.space;
  }

  /** The number of the first frame that is not in yet. */
  get next(): number {
    return this.first + this.#length / this.#columns;
  }

  /** Adds frames; the rows stay the caller's. */
  keep(rows: Float32Array): void {
    this.#reserve(rows.length);
    this.#values.set(rows, this.#length);
    this.#length += rows.length;
  }

  /** The frames kept, and after them `trial`; valid until the next call. */
  with(trial: Float32Array): Float32Array {
    this.#reserve(trial.length);
    this.#values.set(trial, this.#length);
    return this.#values.subarray(0, this.#length + trial.length);
  }

  /**
   * Where the piece is best cut in two: rows up to the middle of its last pause (five frames that say
   * nothing), else, when it `must` be cut, up to its last space or all of it; 0 for nowhere.
   */
  cut(must: boolean): number {
    const rows = this.#length / this.#columns;
    let blanks = 0;
    let afterSpace = 0;
    for (let row = rows - 1; row >= 0; row--) {
      const symbol = likeliest(this.#values, row * this.#columns, this.#columns);
      blanks = symbol === this.#blank ? blanks + 1 : 0;
      if (blanks === pauseRows) return row + Math.ceil(pauseRows / 2);
      if (symbol === this.#space && afterSpace === 0) afterSpace = row + 1;
    }
    if (!must) return 0;
    return afterSpace === 0 ? rows : afterSpace;
  }

  /** The rows from `from` to `to`, a view that is valid until the next change. */
  rows(from: number, to?: number): Float32Array {
    const end = to === undefined ? this.#length : to * this.#columns;
    return this.#values.subarray(from * this.#columns, end);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#values.length) return;
    const grown = new Float32Array(2 * (this.#length + more));
    grown.set(this.#values);
    this.#values = grown;
  }
}
