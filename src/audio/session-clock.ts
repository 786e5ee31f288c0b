/**
 * The capture clock of a session, shared by the two worklets: counts samples of the audio context from
 * the first captured one, and estimates which wall-clock instant that one was.
 */

/** Milliseconds since the first captured sample, from the context's frame counter. */
export class SessionClock {
  readonly #sampleRate: number;
  readonly #window: number;
  #origin = -1;
  #windowStart = 0;
  #lowest = Infinity;
  #previousLowest = Infinity;

  /** @param sampleRate of the audio context, in hertz */
  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
    this.#window = sampleRate;
  }

  /** True once the clock runs. */
  get started(): boolean {
    return this.#origin >= 0;
  }

  /** Makes `frame` the origin, unless there is one: the first captured sample, or the first thing timed. */
  start(frame: number): void {
    if (this.#origin >= 0) return;
    this.#origin = frame;
    this.#windowStart = frame;
  }

  /** Milliseconds on the capture clock of the context's frame `frame`. */
  at(frame: number): number {
    this.start(frame);
    return ((frame - this.#origin) * 1000) / this.#sampleRate;
  }

  /**
   * Notes that the block which ends before `frame` is being processed at wall time `nowMs`. Blocks are
   * processed in bursts, never before they were captured, so the lowest difference of the last one to
   * two seconds is the best estimate; the window lets it follow a context that lost time.
   */
  observe(frame: number, nowMs: number): void {
    if (this.#origin < 0) return;
    if (frame - this.#windowStart >= this.#window) {
      this.#windowStart = frame;
      this.#previousLowest = this.#lowest;
      this.#lowest = Infinity;
    }
    const origin = nowMs - this.at(frame);
    if (origin < this.#lowest) this.#lowest = origin;
  }

  /** Wall-clock time (Unix ms) of the origin; NaN before anything was observed. */
  get originMs(): number {
    const lowest = Math.min(this.#lowest, this.#previousLowest);
    return lowest === Infinity ? Number.NaN : lowest;
  }
}
