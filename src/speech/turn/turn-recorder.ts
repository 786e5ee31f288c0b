/** Records turns out of a continuous stream: pre-roll in front, silence behind cut off. */
import { PreRoll } from './pre-roll.ts';

/** Lengths in ms. */
export interface TurnRecorderOptions {
  /** In hertz. */
  readonly sampleRate: number;
  /** Audio before the onset that belongs to the turn. */
  readonly preRollMs: number;
  /** Silence after the end of speech that belongs to the turn, at most. */
  readonly tailMs: number;
}

/** A piece of a recording; `at`: its first sample, ms on the capture clock. */
export interface Recording {
  readonly samples: Float32Array<ArrayBuffer>;
  readonly at: number;
}

/** An onset may be noticed this much later, in ms, and still get its whole pre-roll. */
const noticeMs = 500;

/** Samples of one microphone. Holds the pre-roll always, and the turn while one is open. */
export class TurnRecorder {
  readonly #options: TurnRecorderOptions;
  readonly #preRoll: PreRoll;
  #chunks: Float32Array[] | undefined;
  /** Position of the first sample of the open turn. */
  #start = 0;
  /** Samples before this position belong to turns that are over. */
  #spent = 0;
  /** When the newest sample ended. */
  #now = 0;

  constructor(options: TurnRecorderOptions) {
    this.#options = options;
    const { sampleRate, preRollMs } = options;
    this.#preRoll = new PreRoll(Math.round(((preRollMs + noticeMs) * sampleRate) / 1000));
  }

  /** Whether a turn is being recorded. */
  get open(): boolean {
    return this.#chunks !== undefined;
  }

  /** Takes the next samples, which begin at `at`; keeps a copy. */
  push(samples: Float32Array, at: number): void {
    this.#preRoll.push(samples);
    this.#now = at + (samples.length * 1000) / this.#options.sampleRate;
    this.#chunks?.push(samples.slice());
  }

  /** Begins a turn whose speech began at `onset`; returns a copy of all there is of it, pre-roll first. */
  begin(onset: number): Recording {
    const wanted = this.#positionOf(onset - this.#options.preRollMs);
    const samples = this.#preRoll.since(Math.max(wanted, this.#spent));
    this.#start = this.#preRoll.end - samples.length;
    this.#chunks = [samples.slice()];
    return { samples, at: this.#timeOf(this.#start) };
  }

  /** The open turn so far, copied. */
  soFar(): Recording {
    const chunks = this.#chunks ?? [];
    const samples = new Float32Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
    let length = 0;
    for (const chunk of chunks) {
      samples.set(chunk, length);
      length += chunk.length;
    }
    return { samples, at: this.#timeOf(this.#start) };
  }

  /** Ends the turn whose speech ended at `speechEnd` and returns it. */
  end(speechEnd: number): Recording {
    const { samples, at } = this.soFar();
    const stop = this.#positionOf(speechEnd + this.#options.tailMs) - this.#start;
    const length = Math.max(0, Math.min(samples.length, stop));
    this.#spent = this.#start + length;
    this.#chunks = undefined;
    return { samples: samples.slice(0, length), at };
  }

  /** Forgets the open turn; its samples may still be the pre-roll of the next. */
  drop(): void {
    this.#chunks = undefined;
  }

  #positionOf(at: number): number {
    return this.#preRoll.end - Math.round(((this.#now - at) * this.#options.sampleRate) / 1000);
  }

  #timeOf(position: number): number {
    return this.#now - ((this.#preRoll.end - position) * 1000) / this.#options.sampleRate;
  }
}
