/** The token bucket: tokens come back at a steady rate up to a bound. */
import type { Clock } from '../../core/time.ts';

/** Full at first. Time is the given clock's, so that tests need not wait. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #tokens: number;
  #countedAt: number;

  /** @param perSecond tokens that come back per second; @param burst most tokens there can be */
  constructor(perSecond: number, burst: number, clock: Clock) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#clock = clock;
    this.#tokens = burst;
    this.#countedAt = clock.now();
  }

  /**
   * Takes `tokens` and answers 0, or, when there are too few, takes none and answers how many ms it takes
   * until there are enough. More than the bound can hold empties a full bucket.
   */
  take(tokens: number): number {
    const now = this.#clock.now();
    const since = Math.max(0, now - this.#countedAt);
    this.#tokens = Math.min(this.#burst, this.#tokens + since * this.#perMs);
    this.#countedAt = now;
    const needed = Math.min(tokens, this.#burst);
    // Sums of fractions may miss the whole by a rounding error.
    if (this.#tokens + 1e-9 >= needed) {
      this.#tokens = Math.max(0, this.#tokens - needed);
      return 0;
    }
    return (needed - this.#tokens) / this.#perMs;
  }
}
