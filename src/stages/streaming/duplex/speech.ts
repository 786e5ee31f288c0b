/** The speech of one reply of a realtime model on its way to the speaker, and how much of it was heard. */
import { element, type SpeechElement } from '../../../core/element.ts';
import { msToSamples, samplesToMs } from '../../../core/time.ts';
import { Resampler } from '../../../audio/resample.ts';
import { TranscriptMarks } from '../../../speech/tts/transcript-marks.ts';
import { SpeechPieces, type PieceFacts } from '../speech-pieces.ts';

/** Longest piece, in ms: what is in the speaker already can't wait for its words. */
const pieceMs = 200;

/** A stretch of the reply that the model knows by a name; `from` and `to` in samples of the speaker. */
export interface SpokenItem {
  readonly session: number;
  readonly item: string;
  readonly from: number;
  to: number;
}

/** Takes audio and text as they come, gives pieces with words when it is asked for them. */
export class DuplexSpeech {
  readonly #facts: PieceFacts;
  readonly #inputRate: number;
  readonly #outputRate: number;
  readonly #resampler: Resampler;
  readonly #marks = new TranscriptMarks();
  readonly #cutter = new SpeechPieces(undefined, pieceMs);
  readonly #items: SpokenItem[] = [];
  readonly #heardAt: { readonly text: string; readonly end: number }[] = [];
  #pending: Float32Array<ArrayBuffer>[] = [];
  #ready: SpeechElement[] = [];
  #received = 0;
  /** Samples received, at the rate of the speaker. */
  #total = 0;
  #emitted = 0;
  /** Nothing follows in the response under way. */
  #isWhole = false;

  constructor(facts: PieceFacts, inputRate: number, outputRate: number) {
    this.#facts = facts;
    this.#inputRate = inputRate;
    this.#outputRate = outputRate;
    this.#resampler = new Resampler(inputRate, outputRate);
  }

  /** The stretches so far, in order. */
  get items(): readonly SpokenItem[] {
    return this.#items;
  }

  /** Samples handed out so far. */
  get emitted(): number {
    return this.#emitted;
  }

  /** How long all that came is, in ms. */
  get receivedMs(): number {
    return samplesToMs(this.#received, this.#inputRate);
  }

  /** More speech of an item of a session. */
  addAudio(session: number, item: string, samples: Float32Array): void {
    this.#isWhole = false;
    this.#received += samples.length;
    let current = this.#items.at(-1);
    if (current?.item !== item || current.session !== session) {
      this.#flushResampler();
      const from = this.#total;
      current = { session, item, from, to: from };
      this.#items.push(current);
    }
    const output = new Float32Array(this.#resampler.maxOutput(samples.length));
    this.#push(output.slice(0, this.#resampler.process(samples, output)));
    current.to = this.#total;
  }

  /** More text of the reply. */
  addText(text: string): void {
    this.#marks.add(text);
  }

  /** The response under way has given all its speech. */
  endAudio(): void {
    this.#flushResampler();
  }

  /** The response under way is complete, text and speech: what is left of both belongs together. */
  complete(): void {
    this.#flushResampler();
    this.#isWhole = true;
  }

  /** The next piece; undefined while none is there. */
  next(): SpeechElement | undefined {
    const piece = this.#ready.shift() ?? (this.#isWhole ? this.#cutRest() : this.#cutNext());
    if (!piece) return undefined;
    const base = this.#emitted;
    const { marks = [], samples } = piece;
    for (const [index, { text }] of marks.entries())
      this.#heardAt.push({ text, end: base + (marks[index + 1]?.offset ?? samples.length) });
    this.#emitted += samples.length;
    return piece;
  }

  /** Ends the reply: an empty piece with the text that came too late; undefined when nothing was spoken. */
  last(): SpeechElement | undefined {
    if (this.#emitted === 0) return undefined;
    const text = this.#marks.takeRest();
    const samples = new Float32Array(0);
    if (text !== '') this.#heardAt.push({ text, end: this.#emitted });
    return element('speech', {
      ...this.#facts,
      samples,
      sampleRate: this.#outputRate,
      text,
      last: true,
    });
  }

  /** Drops what was not handed out. */
  drop(): void {
    this.#pending = [];
    this.#ready = [];
  }

  /** The text whose speech was rendered when `samples` of the reply were. */
  heardText(samples: number): string {
    return this.#heardAt.map(({ text, end }) => (end <= samples ? text : '')).join('');
  }

  #cutNext(): SpeechElement | undefined {
    const longest = msToSamples(pieceMs, this.#outputRate);
    const samples = this.#take(longest);
    if (samples.length === 0) return undefined;
    const marks = this.#marks.next(samples, this.#outputRate);
    return element('speech', {
      ...this.#facts,
      samples,
      sampleRate: this.#outputRate,
      text: marks.map(({ text }) => text).join(''),
      marks,
      last: false,
    });
  }

  #cutRest(): SpeechElement | undefined {
    const samples = this.#take(Infinity);
    if (samples.length === 0) return undefined;
    const sampleRate = this.#outputRate;
    const marks = this.#marks.last(samples, sampleRate);
    this.#ready = this.#cutter.cut({ samples, sampleRate, marks }, this.#facts);
    return this.#ready.shift();
  }

  /** Up to `most` samples from the front of what waits. */
  #take(most: number): Float32Array<ArrayBuffer> {
    const taken: Float32Array<ArrayBuffer>[] = [];
    let length = 0;
    while (length < most) {
      const chunk = this.#pending.shift();
      if (!chunk) break;
      const room = most - length;
      if (chunk.length > room) this.#pending.unshift(chunk.subarray(room));
      const piece = chunk.length > room ? chunk.subarray(0, room) : chunk;
      taken.push(piece);
      length += piece.length;
    }
    const samples = new Float32Array(length);
    let at = 0;
    for (const piece of taken) {
      samples.set(piece, at);
      at += piece.length;
    }
    return samples;
  }

  #flushResampler(): void {
    const output = new Float32Array(this.#resampler.maxOutput(this.#resampler.latency));
    this.#push(output.slice(0, this.#resampler.flush(output)));
    const current = this.#items.at(-1);
    if (current) current.to = this.#total;
  }

  #push(samples: Float32Array<ArrayBuffer>): void {
    this.#total += samples.length;
    if (samples.length > 0) this.#pending.push(samples);
  }
}
