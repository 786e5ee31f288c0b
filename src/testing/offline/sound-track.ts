/** Sound as it was rendered, gathered block by block. */
import type { Recording } from '../../audio/wav.ts';

/** Grows as it needs. */
export class SoundTrack {
  readonly #sampleRate: number;
  #samples: Float32Array<ArrayBuffer>;
  #length = 0;

  /** @param sampleRate in hertz */
  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
    this.#samples = new Float32Array(sampleRate);
  }

  /** Adds a copy of `block`. */
  add(block: Float32Array): void {
    if (this.#length + block.length > this.#samples.length) {
      const longer = new Float32Array(2 * this.#samples.length);
      longer.set(this.#samples);
      this.#samples = longer;
    }
    this.#samples.set(block, this.#length);
    this.#length += block.length;
  }

  /** All of it. */
  get recording(): Recording {
    return { samples: this.#samples.slice(0, this.#length), sampleRate: this.#sampleRate };
  }
}
