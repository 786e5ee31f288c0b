/** Cuts a stream of chunks of any size into frames of one size, each with its time. */

/** One frame; `at`: its first sample, ms on the capture clock. */
export interface AudioFrame {
  readonly samples: Float32Array<ArrayBuffer>;
  readonly at: number;
}

/** Clocks that disagree by less are one clock. */
const toleranceMs = 20;

/**
 * Holds less than one frame between chunks. Time is counted in samples from the first chunk's `at`; a
 * chunk that is later than the count says (the microphone lost something) moves the count forward.
 */
export class Framer {
  readonly #size: number;
  readonly #msPerSample: number;
  #rest: Float32Array<ArrayBuffer>;
  #held = 0;
  #next: number | undefined;

  /** @param size samples a frame; @param sampleRate in hertz */
  constructor(size: number, sampleRate: number) {
    this.#size = size;
    this.#msPerSample = 1000 / sampleRate;
    this.#rest = new Float32Array(size);
  }

  /** The whole frames that `samples` complete. A chunk that is exactly a frame is passed on uncopied. */
  push(samples: Float32Array<ArrayBuffer>, at: number): AudioFrame[] {
    const expected = this.#next ?? at;
    const start = at > expected + toleranceMs ? at : expected;
    this.#next = start + samples.length * this.#msPerSample;
    if (this.#held === 0 && samples.length === this.#size) return [{ samples, at: start }];
    const frames: AudioFrame[] = [];
    let taken = 0;
    while (taken < samples.length) {
      const part = samples.subarray(taken, taken + this.#size - this.#held);
      this.#rest.set(part, this.#held);
      this.#held += part.length;
      taken += part.length;
      if (this.#held < this.#size) break;
      frames.push({
        samples: this.#rest,
        at: start + (taken - this.#size) * this.#msPerSample,
      });
      this.#rest = new Float32Array(this.#size);
      this.#held = 0;
    }
    return frames;
  }

  /** What is left, filled up with silence; undefined when nothing is. */
  flush(): AudioFrame | undefined {
    if (this.#held === 0 || this.#next === undefined) return undefined;
    const frame = { samples: this.#rest, at: this.#next - this.#held * this.#msPerSample };
    this.#rest = new Float32Array(this.#size);
    this.#held = 0;
    return frame;
  }
}
