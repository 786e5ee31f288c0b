/** Samples of a growing recording, of which the beginning may be forgotten. */

/** Positions are counted from the recording's first sample, forgotten or not. */
export class SampleBuffer {
  #samples = new Float32Array(32_768);
  #start = 0;
  #end = 0;

  /** The position after the last sample. */
  get end(): number {
    return this.#end;
  }

  /** Adds a copy of `samples`. */
  push(samples: Float32Array): void {
    const length = this.#end - this.#start;
    if (length + samples.length > this.#samples.length) {
      const grown = new Float32Array(2 * (length + samples.length));
      grown.set(this.#samples.subarray(0, length));
      this.#samples = grown;
    }
    this.#samples.set(samples, length);
    this.#end += samples.length;
  }

  /** A copy of the samples from `from` (not forgotten) up to `to`. */
  slice(from: number, to: number): Float32Array<ArrayBuffer> {
    return this.#samples.slice(from - this.#start, to - this.#start);
  }

  /** Forgets what lies before a position. */
  forget(before: number): void {
    if (before <= this.#start) return;
    this.#samples.copyWithin(0, before - this.#start, this.#end - this.#start);
    this.#start = before;
  }
}
