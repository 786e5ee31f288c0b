/** Listens to one turn while it is spoken, and says now and then what it understands so far. */
import type { Recognition, RecognitionStream } from '../../speech/stt/recognizer.ts';
import { samplesToMs } from '../../core/time.ts';
import type { Clock } from '../../core/time.ts';

/** What an {@link InterimListener} needs. */
export interface InterimListenerOptions {
  readonly stream: RecognitionStream;
  readonly sampleRate: number;
  /** Audio between two attempts at least, in ms. */
  readonly everyMs: number;
  readonly clock: Clock;
  /** Told of what was understood, when it changed. */
  onInterim(heard: Recognition): void;
  /**
   * Told with every attempt of the same without the word that may still be going on: half a "yeah" must not count as
   * another word. That is all that was said in the first `untilMs` of the turn.
   */
  onFinished(text: string, untilMs: number): void;
  /** Told of the error after which no more interims come. */
  onFailure(error: unknown): void;
}

/** A word that ends this close to the end of the audio may be going on, in ms. */
const unfinishedMs = 160;

/** Never more than one attempt at a time, and none behind another: what arrives meanwhile goes into the next. */
export class InterimListener {
  readonly #options: InterimListenerOptions;
  readonly #over = new AbortController();
  #running = false;
  #waitMs: number;
  #newMs = 0;
  #heardMs = 0;
  #text = '';
  #finished = '';

  constructor(options: InterimListenerOptions) {
    this.#options = options;
    this.#waitMs = options.everyMs;
  }

  /** Takes the next samples; they stay the caller's. */
  hear(samples: Float32Array): void {
    if (this.#over.signal.aborted) return;
    const { stream, sampleRate } = this.#options;
    stream.push(samples);
    const ms = samplesToMs(samples.length, sampleRate);
    this.#newMs += ms;
    this.#heardMs += ms;
    if (!this.#running && this.#newMs >= this.#waitMs) void this.#attempt();
  }

  /** Ends the turn: no interim comes any more, and the engine is free as soon as its current run ends. */
  close(): void {
    this.#over.abort();
    this.#options.stream.close();
  }

  async #attempt(): Promise<void> {
    const { stream, everyMs, clock } = this.#options;
    const { signal } = this.#over;
    this.#running = true;
    this.#newMs = 0;
    const startedAt = clock.now();
    const surelyUntilMs = this.#heardMs - unfinishedMs;
    try {
      const heard = await stream.partial({ signal });
      // Two thirds of the time belong to everything else that the thread has to do.
      this.#waitMs = Math.max(everyMs, 3 * (clock.now() - startedAt));
      if (!signal.aborted) this.#tell(heard, surelyUntilMs);
    } catch (error) {
      if (signal.aborted) return;
      this.close();
      this.#options.onFinished(this.#finished, Infinity);
      this.#options.onFailure(error);
    } finally {
      this.#running = false;
    }
  }

  #tell(heard: Recognition, surelyUntilMs: number): void {
    const { text, words } = heard;
    const isUntimed = text !== '' && words.length === 0;
    const isUnsure = isUntimed && text !== this.#text;
    const unfinished = words.findIndex(({ end }) => end > surelyUntilMs);
    const over = unfinished < 0 ? words : words.slice(0, unfinished);
    // Without times, what stayed the same is over.
    if (!isUntimed) this.#finished = over.map((word) => word.text).join(' ');
    else if (!isUnsure) this.#finished = text;
    const untilMs = isUnsure ? 0 : Math.min(surelyUntilMs, words[unfinished]?.start ?? Infinity);
    this.#options.onFinished(this.#finished, untilMs);
    if (text !== '' && text !== this.#text) this.#options.onInterim(heard);
    this.#text = text;
  }
}
