/**
 * What will be played, sample by sample: chunks of speech and, in order between them, elements that
 * leave when rendering reaches them. Pure counting, no clock and no port, so that a worklet can run it
 * and Node can test it. `render` allocates nothing of its own.
 */
import { isInterruptible, type SpeechElement, type StreamElement } from '../core/element.ts';

/** What a {@link PlaybackQueue} tells while it renders; `offset`: sample within the block being rendered. */
export interface PlaybackEvents {
  /** The first sample of a turn's speech. */
  audible(turn: number, offset: number): void;
  /** Nothing of the turn follows; `finished`: it was rendered to the end. */
  silent(turn: number, offset: number, finished: boolean): void;
  /** The last sample of a word (or of a chunk without marks). */
  heard(turn: number, text: string, offset: number): void;
  /** Speech arrived too late: `samples` of silence inside a turn. Told when it goes on. */
  underrun(turn: number, samples: number, offset: number): void;
  /** An element's place in the order was reached. */
  passed(element: StreamElement): void;
  /** A chunk of speech was rendered to its end, or an element was voided: it does not leave. */
  spent(element: StreamElement): void;
}

/** Gain of a ducked voice: −12 dB. */
export const duckGain = 0.25;

const fadeMs = 10;
const duckSamples = 128;
/** What adding up a fade's steps may be wrong by. */
const rounding = 1e-9;

/** The queue. All positions are samples at the rate of the audio context. */
export class PlaybackQueue {
  readonly #events: PlaybackEvents;
  readonly #items: StreamElement[] = [];
  readonly #tail: Float32Array;
  readonly #fadeStep: number;
  #tailAt = 0;
  #tailEnd = 0;
  #position = 0;
  #word = 0;
  #gain = 1;
  #tailGain = 0;
  #paused = false;
  #ducked = false;
  #voided = -1;
  #audibleTurn: number | undefined;
  #starved = 0;
  #rendered = 0;
  #underruns = 0;
  #spokenTurn = 0;
  #spokenSamples = 0;

  /** @param sampleRate of the audio context, in hertz */
  constructor(sampleRate: number, events: PlaybackEvents) {
    this.#events = events;
    const fade = Math.round((fadeMs * sampleRate) / 1000);
    this.#fadeStep = 1 / fade;
    this.#tail = new Float32Array(fade);
  }

  /** Samples of speech rendered so far, the fade of a flush not included. */
  get rendered(): number {
    return this.#rendered;
  }

  /** The turn whose speech was rendered last, 0 before any, and how many samples of it were; the fade of a flush not included. */
  get spoken(): { readonly turn: number; readonly samples: number } {
    return { turn: this.#spokenTurn, samples: this.#spokenSamples };
  }

  /** Times speech arrived too late inside a turn. */
  get underruns(): number {
    return this.#underruns;
  }

  /** Elements that wait, speech and others. */
  get length(): number {
    return this.#items.length;
  }

  /** The turn being spoken: from its first sample to its last, waits for late speech included. */
  get audibleTurn(): number | undefined {
    return this.#audibleTurn;
  }

  /** Whether `pause` is in force. */
  get paused(): boolean {
    return this.#paused;
  }

  /** True when speech of this turn would not be played, because a flush voided it. */
  isVoid(turn: number): boolean {
    return turn <= this.#voided;
  }

  /** Adds an element at the end. With nothing before it, it passes at once; what a flush voided is spent at once. */
  push(element: StreamElement): void {
    if (isInterruptible(element) && this.isVoid(element.turn)) this.#events.spent(element);
    else if (element.kind !== 'speech' && this.#items.length === 0) this.#pass(element, 0);
    else this.#items.push(element);
  }

  /** Fades out within 10 ms and holds the position. Over with the turn; ignored while none is being spoken. */
  pause(): void {
    this.#paused = this.#audibleTurn !== undefined;
  }

  /** Goes on from the sample where `pause` stopped, fading in within 10 ms. */
  resume(): void {
    this.#paused = false;
  }

  /** Lowers the voice by 12 dB within one quantum of 128 samples, or lets it rise again within 10 ms. */
  duck(on: boolean): void {
    this.#ducked = on;
  }

  /**
   * Voids what is interruptible of turns ≤ `turn`, queued or yet to arrive: 10 ms of fade; the elements
   * behind it pass at once. Flushing the same turn again does nothing.
   */
  flush(turn: number): void {
    if (turn <= this.#voided) return;
    this.#voided = turn;
    this.#keepTail();
    const kept: StreamElement[] = [];
    const head = this.#items[0];
    for (const item of this.#items)
      if (isInterruptible(item) && this.isVoid(item.turn)) this.#events.spent(item);
      else kept.push(item);
    if (head !== kept[0]) this.#startChunk();
    this.#items.length = 0;
    this.#items.push(...kept);
    if (this.#audibleTurn !== undefined && this.#audibleTurn <= turn)
      this.#silence(this.#tailEnd - this.#tailAt, false);
    this.#passOn(0);
  }

  /** Renders the next `output.length` samples, silence where there is nothing to play. */
  render(output: Float32Array): void {
    let index = this.#renderTail(output);
    while (index < output.length) {
      this.#passOn(index);
      const chunk = this.#items[0];
      if (!chunk || chunk.kind !== 'speech') {
        if (this.#audibleTurn !== undefined) this.#starved += output.length - index;
        this.#gain = this.#target;
        break;
      }
      const from = index;
      index = this.#renderChunk(chunk, output, index);
      if (index === from && this.#items[0] === chunk) break;
    }
    output.fill(0, index);
  }

  get #target(): number {
    if (this.#paused) return 0;
    return this.#ducked ? duckGain : 1;
  }

  #renderChunk(chunk: SpeechElement, output: Float32Array, start: number): number {
    const { samples } = chunk;
    let index = start;
    if (this.#position < samples.length) {
      const end = Math.min(output.length, start + samples.length - this.#position);
      while (index < end) {
        if (!this.#stepGain()) return index;
        if (this.#position === 0 || this.#starved > 0) this.#begin(chunk, index);
        const sample = samples[this.#position] ?? 0;
        output[index] = Number.isFinite(sample) ? sample * this.#gain : 0;
        index += 1;
        this.#position += 1;
        this.#rendered += 1;
        this.#spokenSamples += 1;
        this.#hearWords(chunk, this.#position, index);
      }
    }
    if (this.#position >= samples.length) this.#finish(chunk, index);
    return index;
  }

  /** Moves the gain one sample towards its target; false when it is down to silence and must hold. */
  #stepGain(): boolean {
    const target = this.#target;
    if (this.#gain === target) return target > 0;
    if (this.#gain < target) this.#gain = Math.min(target, this.#gain + this.#fadeStep);
    else {
      const step = target === duckGain ? (1 - duckGain) / duckSamples : this.#fadeStep;
      this.#gain = this.#gain - step > target + rounding ? this.#gain - step : target;
    }
    return this.#gain > 0;
  }

  #begin(chunk: SpeechElement, offset: number): void {
    if (this.#spokenTurn !== chunk.turn) {
      this.#spokenTurn = chunk.turn;
      this.#spokenSamples = 0;
    }
    if (this.#audibleTurn !== chunk.turn) {
      if (this.#audibleTurn !== undefined) this.#silence(offset, true);
      this.#audibleTurn = chunk.turn;
      this.#events.audible(chunk.turn, offset);
    } else if (this.#starved > 0) {
      this.#underruns += 1;
      this.#events.underrun(chunk.turn, this.#starved, offset);
    }
    this.#starved = 0;
  }

  #hearWords(chunk: SpeechElement, position: number, offset: number): void {
    const { marks } = chunk;
    if (!marks || marks.length === 0) return;
    while (this.#word < marks.length) {
      const end = marks[this.#word + 1]?.offset ?? chunk.samples.length;
      if (position < end) return;
      this.#events.heard(chunk.turn, marks[this.#word]?.text ?? '', offset);
      this.#word += 1;
    }
  }

  #finish(chunk: SpeechElement, offset: number): void {
    this.#hearWords(chunk, Infinity, offset);
    const marked = chunk.marks !== undefined && chunk.marks.length > 0;
    if (!marked && chunk.text !== '') this.#events.heard(chunk.turn, chunk.text, offset);
    this.#items.shift();
    this.#startChunk();
    this.#events.spent(chunk);
    if (chunk.last && this.#audibleTurn === chunk.turn) this.#silence(offset, true);
    this.#passOn(offset);
  }

  #silence(offset: number, finished: boolean): void {
    const turn = this.#audibleTurn;
    this.#audibleTurn = undefined;
    this.#paused = false;
    this.#starved = 0;
    if (turn !== undefined) this.#events.silent(turn, offset, finished);
  }

  #startChunk(): void {
    this.#position = 0;
    this.#word = 0;
  }

  #passOn(offset: number): void {
    for (let head = this.#items[0]; head && head.kind !== 'speech'; head = this.#items[0]) {
      this.#items.shift();
      this.#pass(head, offset);
    }
  }

  #pass(element: StreamElement, offset: number): void {
    if (element.turn === this.#audibleTurn && closesReply(element)) this.#silence(offset, true);
    this.#events.passed(element);
  }

  /** Keeps what a cut would otherwise end with a click: the next 10 ms of the chunk being rendered. */
  #keepTail(): void {
    const chunk = this.#items[0];
    const audible = this.#audibleTurn !== undefined && this.#gain > 0;
    if (!audible || chunk?.kind !== 'speech' || !this.isVoid(chunk.turn) || this.#position === 0)
      return;
    const rest = chunk.samples.subarray(this.#position, this.#position + this.#tail.length);
    this.#tail.set(rest);
    this.#tailAt = 0;
    this.#tailEnd = rest.length;
    this.#tailGain = this.#gain;
    this.#gain = this.#target;
  }

  #renderTail(output: Float32Array): number {
    let index = 0;
    while (index < output.length && this.#tailAt < this.#tailEnd) {
      this.#tailGain = Math.max(0, this.#tailGain - this.#fadeStep);
      output[index] = (this.#tail[this.#tailAt] ?? 0) * this.#tailGain;
      this.#tailAt += 1;
      index += 1;
    }
    return index;
  }
}

/** A whole message of the assistant that asks for no tool: no speech of its turn follows, `last` or not. */
function closesReply(element: StreamElement): boolean {
  if (element.kind !== 'message' || element.message.role !== 'assistant') return false;
  return element.meta?.['fromHistory'] !== true && !element.message.toolCalls?.length;
}
