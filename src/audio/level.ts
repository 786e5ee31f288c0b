/** How loud: root mean square and peak of blocks of samples, gathered without allocation. */

/** The mean of the squares of `samples`; 0 for none. */
export function meanSquare(samples: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += (samples[i] ?? 0) ** 2;
  return samples.length === 0 ? 0 : sum / samples.length;
}

/** Gathers the level of a stream over an interval and is read and emptied once per interval. */
export class LevelMeter {
  #sum = 0;
  #count = 0;
  #peak = 0;

  /** Samples gathered since the last `reset`. */
  get count(): number {
    return this.#count;
  }

  /** Root mean square since the last `reset`, 0…1. */
  get rms(): number {
    return this.#count === 0 ? 0 : Math.sqrt(this.#sum / this.#count);
  }

  /** Greatest magnitude since the last `reset`, 0…1. */
  get peak(): number {
    return this.#peak;
  }

  /** Adds a block, what is no number as silence. Returns its mean square. */
  add(samples: Float32Array): number {
    let sum = 0;
    for (let i = 0; i < samples.length; i++) {
      const magnitude = Math.abs(samples[i] ?? 0);
      // One of these would stay in every average for good.
      if (!Number.isFinite(magnitude)) continue;
      sum += magnitude * magnitude;
      if (magnitude > this.#peak) this.#peak = magnitude;
    }
    this.#sum += sum;
    this.#count += samples.length;
    return samples.length === 0 ? 0 : sum / samples.length;
  }

  /** Starts the next interval. */
  reset(): void {
    this.#sum = 0;
    this.#count = 0;
    this.#peak = 0;
  }
}
