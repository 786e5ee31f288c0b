/** Interim results: understands audio that is still arriving, computing only what changed. */
import { toAntiphonError } from '../../core/errors.ts';
import type { CtcDecoder } from './ctc-decoder.ts';
import type { CtcModel } from './ctc-model.ts';
import { CtcPiece } from './ctc-piece.ts';
import { joinRecognitions, nothingHeard, spokenWords } from './ctc/spoken-words.ts';
import type { Recognition, RecognitionStream } from './recognizer.ts';
import { SampleBuffer } from './sample-buffer.ts';
import { isAudible, speechSampleRate } from './speech-samples.ts';

/** What the acoustic model must see before and after a frame for that frame to be final, in ms. */
const contextMs = { before: 1000, after: 640 } as const;
/** New audio taken in one run at most, in ms: while a run computes, its worker hears nothing. */
const runMs = 1500;
/** What is older becomes settled at its last pause, and without one at twice this age, in ms. */
const settleMs = 15_000;

/** What a stream computes with. */
export interface CtcStreamEngine {
  readonly ctc: CtcModel;
  /** For this stream alone. */
  readonly decoder: CtcDecoder;
}

/** What a stream needs of its recogniser. */
export interface CtcStreamHost {
  /** Gives the engine; called once, at the first `partial`. */
  open(signal: AbortSignal | undefined): Promise<CtcStreamEngine>;
  /** Runs a task after the recogniser's other work. */
  oneByOne<T>(task: () => Promise<T>): Promise<T>;
  /** Empties what is rather noise. */
  credible(heard: Recognition): Recognition;
}

/**
 * Makes a stream. Each `partial` runs the model on the new audio with some context on both sides. Frames
 * whose context is complete are decoded for good; those after them are decoded on trial and taken back.
 */
export function ctcStream(host: CtcStreamHost): RecognitionStream {
  let listening: Listening | undefined;
  let closed = false;
  let buffer = new SampleBuffer();
  return {
    push(samples) {
      if (!closed) buffer.push(samples);
    },
    partial: ({ signal } = {}) =>
      host.oneByOne(async () => {
        if (closed) return nothingHeard;
        if (signal?.aborted === true) throw toAntiphonError(signal.reason, 'aborted');
        listening ??= new Listening(await host.open(signal), buffer, host);
        const heard = await listening.understand(signal, () => closed);
        return closed ? nothingHeard : heard;
      }),
    close() {
      closed = true;
      buffer = new SampleBuffer();
      listening = undefined;
    },
  };
}

class Listening {
  readonly #ctc: CtcModel;
  readonly #decoder: CtcDecoder;
  readonly #buffer: SampleBuffer;
  readonly #host: CtcStreamHost;
  readonly #frameMs: number;
  readonly #settled: Recognition[] = [];
  #piece: CtcPiece;

  constructor({ ctc, decoder }: CtcStreamEngine, buffer: SampleBuffer, host: CtcStreamHost) {
    this.#ctc = ctc;
    this.#decoder = decoder;
    this.#buffer = buffer;
    this.#host = host;
    this.#frameMs = (ctc.hop * 1000) / speechSampleRate;
    this.#piece = new CtcPiece(0, ctc.alphabet);
  }

  /** Takes in what has arrived, in short runs, and says what it makes of it all. */
  async understand(signal: AbortSignal | undefined, stopped: () => boolean): Promise<Recognition> {
    const { hop } = this.#ctc;
    const before = this.#frames(contextMs.before);
    const after = this.#frames(contextMs.after);
    for (;;) {
      const { next } = this.#piece;
      const end = Math.min(this.#buffer.end, (next + this.#frames(runMs) + after) * hop);
      const first = Math.max(0, next - before);
      const window = this.#buffer.slice(first * hop, end);
      if (window.length < hop) return joinRecognitions(this.#settled);
      const rows = (await this.#run(window)).subarray(
        (next - first) * this.#ctc.alphabet.symbols.length,
      );
      if (signal?.aborted === true) throw toAntiphonError(signal.reason, 'aborted');
      if (stopped()) return nothingHeard;
      const trial = this.#takeIn(rows, after);
      this.#buffer.forget(Math.max(0, this.#piece.next - before) * hop);
      const complete = end === this.#buffer.end;
      const result = complete ? this.#sayWith(trial) : nothingHeard;
      this.#settle();
      if (complete) return result;
    }
  }

  /** Silence is not worth a run: its frames are blank. */
  async #run(window: Float32Array<ArrayBuffer>): Promise<Float32Array> {
    if (isAudible(window)) return this.#ctc.run(window);
    const { alphabet, hop } = this.#ctc;
    const columns = alphabet.symbols.length;
    const rows = new Float32Array(Math.ceil(window.length / hop) * columns).fill(-30);
    for (let at = alphabet.blank; at < rows.length; at += columns) rows[at] = 0;
    return rows;
  }

  /** Decodes for good all rows but the last `after`, which it gives back. */
  #takeIn(rows: Float32Array, after: number): Float32Array {
    const columns = this.#ctc.alphabet.symbols.length;
    const sure = Math.max(0, Math.floor(rows.length / columns) - after) * columns;
    this.#decoder.push(rows.subarray(0, sure));
    this.#piece.keep(rows.subarray(0, sure));
    return rows.subarray(sure);
  }

  #sayWith(trial: Float32Array): Recognition {
    this.#decoder.mark();
    this.#decoder.push(trial);
    const heard = this.#say(this.#piece.with(trial));
    this.#decoder.rewind();
    return joinRecognitions([...this.#settled, heard]);
  }

  #say(rows: Float32Array): Recognition {
    const heard = spokenWords(this.#ctc.alphabet, rows, this.#decoder.best(), {
      frameMs: this.#frameMs,
      startMs: this.#piece.first * this.#frameMs,
      endMs: (this.#buffer.end * 1000) / speechSampleRate,
    });
    return this.#host.credible(heard);
  }

  /** A long piece is cut at a pause, so that a stream that never ends stays cheap. */
  #settle(): void {
    const piece = this.#piece;
    const ageMs = (piece.next - piece.first) * this.#frameMs;
    if (ageMs < settleMs) return;
    const cut = piece.cut(ageMs > 2 * settleMs);
    if (cut === 0) return;
    this.#decoder.reset();
    this.#decoder.push(piece.rows(0, cut));
    this.#settled.push(this.#say(piece.rows(0, cut)));
    this.#decoder.reset();
    this.#decoder.push(piece.rows(cut));
    this.#piece = new CtcPiece(piece.first + cut, this.#ctc.alphabet);
    this.#piece.keep(piece.rows(cut));
  }

  #frames(ms: number): number {
    return Math.round(ms / this.#frameMs);
  }
}
