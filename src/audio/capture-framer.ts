/**
 * Native-rate render quanta in, 512-sample frames at 16 kHz out. Made for a worklet: after the
 * constructor, `push` and `shift` allocate nothing; `refill`, called between quanta, replaces the
 * buffers that were given away.
 */
import { Resampler } from './resample.ts';

/** Samples of a frame: 32 ms at 16 kHz, what Silero takes. */
export const frameLength = 512;

/** Rate of the frames, in hertz. */
export const frameRate = 16_000;

/** Longest block `push` takes: far above any render quantum. */
const maxBlock = 4096;

/** Cuts a stream into frames and holds those nobody has taken yet, the oldest given up first. */
export class CaptureFramer {
  readonly #resampler: Resampler;
  readonly #scratch: Float32Array;
  readonly #free: Float32Array<ArrayBuffer>[] = [];
  readonly #waiting: Float32Array<ArrayBuffer>[] = [];
  #current: Float32Array<ArrayBuffer>;
  #fill = 0;
  #given = 0;
  #framed = 0;
  #dropped = 0;

  /**
   * @param inputRate of the quanta, in hertz
   * @param capacity frames that may wait before the oldest is given up; 128 are four seconds
   */
  constructor(inputRate: number, capacity: number = 128) {
    this.#resampler = new Resampler(inputRate, frameRate);
    this.#scratch = new Float32Array(this.#resampler.maxOutput(maxBlock));
    this.#current = new Float32Array(frameLength);
    for (let i = 0; i < capacity; i++) this.#free.push(new Float32Array(frameLength));
  }

  /** Frames cut so far, those given up included. */
  get framed(): number {
    return this.#framed;
  }

  /** Frames given up because nobody took them in time. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Frames that wait to be taken. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Index, at 16 kHz since the start, of the first sample of the frame `shift` would give. */
  get position(): number {
    return (this.#framed - this.#waiting.length) * frameLength;
  }

  /** Adds a block of at most 4 096 samples, read only. */
  push(block: Float32Array): void {
    const count = this.#resampler.process(block, this.#scratch);
    for (let i = 0; i < count; i++) {
      this.#current[this.#fill] = this.#scratch[i] ?? 0;
      this.#fill += 1;
      if (this.#fill === frameLength) this.#cut();
    }
  }

  /** The oldest waiting frame, given away for good; undefined when none waits. */
  shift(): Float32Array<ArrayBuffer> | undefined {
    const frame = this.#waiting.shift();
    if (frame) this.#given += 1;
    return frame;
  }

  /** Makes new buffers for those given away. Allocates: call it from a message handler, not while rendering. */
  refill(): void {
    for (; this.#given > 0; this.#given--) this.#free.push(new Float32Array(frameLength));
  }

  #cut(): void {
    this.#framed += 1;
    this.#fill = 0;
    this.#waiting.push(this.#current);
    let next = this.#free.pop();
    if (!next) {
      next = this.#waiting.shift();
      this.#dropped += 1;
    }
    if (next) this.#current = next;
  }
}
