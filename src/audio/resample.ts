/**
 * Streaming sample-rate conversion for any pair of rates, on the page, in a worker or in a worklet.
 * A polyphase windowed-sinc filter: the cut-off leaves 10 % of the lower Nyquist frequency for the
 * transition, the Kaiser window (J. F. Kaiser, 1974) holds everything beyond it 70 dB down.
 */

const stopbandDecibels = 70;
const kaiserBeta = 0.1102 * (stopbandDecibels - 8.7);
const transition = 0.1;
const maxPhases = 512;
const blockLength = 1024;

/** Converts one mono stream; keeps its position as whole numbers, so it never drifts. */
export class Resampler {
  /** In hertz. */
  readonly inputRate: number;
  /** In hertz. */
  readonly outputRate: number;
  readonly #up: number;
  readonly #down: number;
  readonly #half: number;
  readonly #taps: number;
  readonly #phases: number;
  readonly #kernel: Float32Array;
  readonly #buffer: Float32Array;
  #filled = 0;
  #index = 0;
  #phase = 0;
  #received = 0;
  #emitted = 0;

  /**
   * @param inputRate in hertz, a whole number from 1 000 to 384 000
   * @param outputRate in hertz, a whole number from 1 000 to 384 000
   * @throws RangeError when a rate is none of these
   */
  constructor(inputRate: number, outputRate: number) {
    for (const rate of [inputRate, outputRate])
      if (!Number.isInteger(rate) || rate < 1_000 || rate > 384_000)
        throw new RangeError(`A sample rate of ${rate} Hz can't be converted.`);
    const common = greatestCommonDivisor(inputRate, outputRate);
    this.inputRate = inputRate;
    this.outputRate = outputRate;
    this.#up = outputRate / common;
    this.#down = inputRate / common;
    const nyquist = Math.min(inputRate, outputRate) / 2;
    const width = (transition * nyquist) / inputRate;
    this.#half =
      inputRate === outputRate ? 0 : Math.ceil((stopbandDecibels - 7.95) / (14.36 * width) / 2);
    this.#taps = 2 * this.#half;
    this.#phases = Math.min(this.#up, maxPhases);
    const cutoff = (2 * nyquist * (1 - transition / 2)) / inputRate;
    this.#kernel = makeKernel(this.#half, this.#phases, cutoff);
    this.#buffer = new Float32Array(this.#taps + blockLength);
    this.#reset();
  }

  /** Samples of delay: what the filter must see of the future, in input samples. */
  get latency(): number {
    return this.#half;
  }

  /** The most samples one `process` call may write for `inputLength` samples of input. */
  maxOutput(inputLength: number): number {
    return Math.ceil(((inputLength + 1) * this.#up) / this.#down) + 1;
  }

  /**
   * Converts `input` (read only, any length) into the front of `output`, which needs room for
   * `maxOutput(input.length)` samples. Returns how many were written. Allocates nothing.
   */
  process(input: Float32Array, output: Float32Array): number {
    this.#received += input.length;
    if (this.#half === 0) {
      output.set(input);
      this.#emitted += input.length;
      return input.length;
    }
    let written = 0;
    let read = 0;
    while (read < input.length) {
      const room = Math.min(this.#buffer.length - this.#filled, input.length - read);
      for (let i = 0; i < room; i++) this.#buffer[this.#filled + i] = input[read + i] ?? 0;
      this.#filled += room;
      read += room;
      written += this.#drain(output, written, Infinity);
    }
    return written;
  }

  /**
   * Ends the stream: writes what the filter still holds (at most `maxOutput(latency)` samples), so that
   * `n` samples of input have given exactly ⌈n · outputRate / inputRate⌉, and starts afresh.
   */
  flush(output: Float32Array): number {
    const limit = Math.ceil((this.#received * this.#up) / this.#down) - this.#emitted;
    let written = 0;
    let silence = this.#half;
    while (silence > 0) {
      const room = Math.min(this.#buffer.length - this.#filled, silence);
      this.#buffer.fill(0, this.#filled, this.#filled + room);
      this.#filled += room;
      silence -= room;
      written += this.#drain(output, written, limit - written);
    }
    this.#reset();
    return written;
  }

  #reset(): void {
    // The window of output 0 reaches half − 1 samples into the past, which is silence.
    this.#filled = Math.max(0, this.#half - 1);
    this.#buffer.fill(0);
    this.#index = this.#filled;
    this.#phase = 0;
    this.#received = 0;
    this.#emitted = 0;
  }

  #drain(output: Float32Array, offset: number, limit: number): number {
    const buffer = this.#buffer;
    const kernel = this.#kernel;
    const taps = this.#taps;
    const interpolated = this.#phases !== this.#up;
    let written = 0;
    while (written < limit && this.#index + this.#half < this.#filled) {
      const start = this.#index - this.#half + 1;
      let sum = 0;
      if (interpolated) {
        const exact = (this.#phase * this.#phases) / this.#up;
        const row = Math.floor(exact);
        const share = exact - row;
        const low = row * taps;
        const high = low + taps;
        for (let i = 0; i < taps; i++) {
          const a = kernel[low + i] ?? 0;
          sum += (buffer[start + i] ?? 0) * (a + share * ((kernel[high + i] ?? 0) - a));
        }
      } else {
        const row = this.#phase * taps;
        for (let i = 0; i < taps; i++) sum += (buffer[start + i] ?? 0) * (kernel[row + i] ?? 0);
      }
      output[offset + written] = sum;
      written += 1;
      this.#phase += this.#down;
      const steps = Math.floor(this.#phase / this.#up);
      this.#phase -= steps * this.#up;
      this.#index += steps;
    }
    this.#emitted += written;
    const spent = Math.min(this.#index - this.#half + 1, this.#filled);
    if (spent > 0) {
      buffer.copyWithin(0, spent, this.#filled);
      this.#filled -= spent;
      this.#index -= spent;
    }
    return written;
  }
}

/** Converts a whole recording; the result is new and has ⌈n · outputRate / inputRate⌉ samples. */
export function resample(
  samples: Float32Array,
  inputRate: number,
  outputRate: number,
): Float32Array<ArrayBuffer> {
  const resampler = new Resampler(inputRate, outputRate);
  const room = resampler.maxOutput(samples.length) + resampler.maxOutput(resampler.latency);
  const output = new Float32Array(room);
  const written = resampler.process(samples, output);
  return output.slice(0, written + resampler.flush(output.subarray(written)));
}

/** One row of `2 · half` weights per phase, and one more row so that the last phase has a neighbour. */
function makeKernel(half: number, phases: number, cutoff: number): Float32Array {
  const taps = 2 * half;
  const kernel = new Float32Array((phases + 1) * taps);
  const scale = besselI0(kaiserBeta);
  for (let phase = 0; phase <= phases; phase++) {
    const row = kernel.subarray(phase * taps, (phase + 1) * taps);
    let sum = 0;
    for (let i = 0; i < taps; i++) {
      const x = i - half + 1 - phase / phases;
      const edge = 1 - (x / half) ** 2;
      const window = edge <= 0 ? 0 : besselI0(kaiserBeta * Math.sqrt(edge)) / scale;
      const angle = Math.PI * cutoff * x;
      row[i] = window * (x === 0 ? 1 : Math.sin(angle) / angle);
      sum += row[i] ?? 0;
    }
    for (let i = 0; i < taps; i++) row[i] = (row[i] ?? 0) / sum;
  }
  return kernel;
}

function besselI0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
