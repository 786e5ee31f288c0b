/** The frames of a stream that one decoder run is about, and the one before the next frame to come. */
import type { CtcAlphabet } from './ctc/alphabet.ts';
import { likeliest } from './ctc/greedy-decoder.ts';

/** Frames of log posteriors from `first` (counted from the stream's beginning) up to `next`. */
export class CtcPiece {
  readonly first: number;
  #columns: number;
  #blank: number;
  #values = new Float32Array(8192);
  #length = 0;

  constructor(first: number, alphabet: CtcAlphabet) {
    this.first = first;
    this.#columns = alphabet.symbols.length;
    this.#blank = alphabet.blank;
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
  with(trial: Float32Array = new Float32Array(0)): Float32Array {
    this.#reserve(trial.length);
    this.#values.set(trial, this.#length);
    return this.#values.subarray(0, this.#length + trial.length);
  }

  /** True when the last five frames say nothing: a good place to end. */
  get pauses(): boolean {
    const rows = this.#length / this.#columns;
    if (rows < 5) return false;
    for (let row = rows - 5; row < rows; row++)
      if (likeliest(this.#values, row * this.#columns, this.#columns) !== this.#blank) return false;
    return true;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#values.length) return;
    const grown = new Float32Array(2 * (this.#length + more));
    grown.set(this.#values);
    this.#values = grown;
  }
}
