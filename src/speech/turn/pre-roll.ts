/** Keeps the newest samples, so that a turn can begin before it was noticed. */

/** A ring addressed by absolute sample positions, counted from the first sample pushed. */
export class PreRoll {
  readonly #ring: Float32Array;
  #end = 0;

  /** @param capacity samples kept */
  constructor(capacity: number) {
    this.#ring = new Float32Array(Math.max(1, capacity));
  }

  /** The position after the newest sample. */
  get end(): number {
    return this.#end;
  }

  /** Takes a copy of `samples`. */
  push(samples: Float32Array): void {
    const { length } = this.#ring;
    const newest = samples.length > length ? samples.subarray(samples.length - length) : samples;
    const start = (this.#end + samples.length - newest.length) % length;
    const first = Math.min(newest.length, length - start);
    this.#ring.set(newest.subarray(0, first), start);
    this.#ring.set(newest.subarray(first), 0);
    this.#end += samples.length;
  }

  /** A copy of everything from `position` on, or of what is left of it. */
  since(position: number): Float32Array<ArrayBuffer> {
    const { length } = this.#ring;
    const from = Math.min(this.#end, Math.max(position, this.#end - length, 0));
    const copy = new Float32Array(this.#end - from);
    const start = from % length;
    const first = Math.min(copy.length, length - start);
    copy.set(this.#ring.subarray(start, start + first));
    copy.set(this.#ring.subarray(0, copy.length - first), first);
    return copy;
  }
}
