/** The distribution of a measured quantity in bounded memory. */

/** A distribution; all 0 when nothing was recorded. Quantiles are within 2.5 % of the recorded values. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Every bucket is this much wider than the one before. */
const growth = 1.05;
/** Upper end of the first bucket. */
const least = 0.001;
/** Enough to reach 1e9 times `least`. */
const buckets = Math.ceil(Math.log(1e9) / Math.log(growth)) + 2;

/** Counts values of 0 and more in buckets that grow by 5 %, 0.001 to 1 000 000; recording costs one logarithm. */
export class Histogram {
  readonly #counts = new Uint32Array(buckets);
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = 0;

  /** Counts `value`; one below 0 counts as 0. */
  record(value: number): void {
    const counted = Math.max(0, value);
    const bucket = bucketOf(counted);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#sum += counted;
    this.#min = Math.min(this.#min, counted);
    this.#max = Math.max(this.#max, counted);
  }

  /** What was recorded so far. */
  summary(): Distribution {
    return {
      count: this.#count,
      sum: this.#sum,
      mean: this.#count === 0 ? 0 : this.#sum / this.#count,
      min: this.#count === 0 ? 0 : this.#min,
      max: this.#max,
      p50: this.#quantile(0.5),
      p95: this.#quantile(0.95),
      p99: this.#quantile(0.99),
    };
  }

  /** The value that a share of `q` does not exceed (nearest rank). */
  #quantile(q: number): number {
    let left = Math.ceil(q * this.#count);
    for (let bucket = 0; bucket < buckets && left > 0; bucket += 1) {
      left -= this.#counts[bucket] ?? 0;
      if (left <= 0) return Math.min(Math.max(middleOf(bucket), this.#min), this.#max);
    }
    return this.#max;
  }
}

function bucketOf(value: number): number {
  if (value < least) return 0;
  return Math.min(1 + Math.floor(Math.log(value / least) / Math.log(growth)), buckets - 1);
}

/** The geometric middle of a bucket, at most 2.5 % away from anything in it. */
function middleOf(bucket: number): number {
  return bucket === 0 ? 0 : least * growth ** (bucket - 0.5);
}
