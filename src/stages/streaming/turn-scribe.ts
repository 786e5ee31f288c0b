/** One run of `STTStage`: follows the turns, and turns audio into transcripts and messages. */
import type { FloorWords } from '../../audio/floor.ts';
import type { ChannelWriter } from '../../core/channel/channel.ts';
import {
  type AudioElement,
  type StreamElement,
  type TimedWord,
  type UtteranceElement,
  element,
  textMessage,
} from '../../core/element.ts';
import { AntiphonError, serializeError, toAntiphonError } from '../../core/errors.ts';
import type { StageContext } from '../../core/stage/stage.ts';
import type { Recognition } from '../../speech/stt/recognizer.ts';
import { InterimListener } from './interim-listener.ts';
import type { STTStageOptions } from './stt-options.ts';
import { transcribePatiently } from './transcribe-patiently.ts';

/** Elements of later turns that wait behind the one being spoken; more than these pass before it. */
const maxBehind = 64;

/** State of one run. `take` is called for one element at a time. */
export class TurnScribe {
  readonly #name: string;
  readonly #options: STTStageOptions<boolean>;
  readonly #context: StageContext;
  readonly #output: ChannelWriter<StreamElement>;
  readonly #over = new AbortController();
  /** Aborts when the run ends or nobody reads any more. */
  readonly #signal: AbortSignal;
  /** The turn being spoken. */
  #open: number | undefined;
  /** What came in of later turns meanwhile: typed, for example. */
  readonly #behind: StreamElement[] = [];
  #listening: { readonly turn: number; readonly listener: InterimListener } | undefined;
  /** The last turn whose words nobody hears before it is over. */
  #wordless = -1;

  constructor(
    name: string,
    options: STTStageOptions<boolean>,
    context: StageContext,
    output: ChannelWriter<StreamElement>,
  ) {
    this.#name = name;
    this.#options = options;
    this.#context = context;
    this.#output = output;
    this.#signal = AbortSignal.any([context.signal, this.#over.signal]);
  }

  /** Deals with the next element; settles when everything it leads to has been written. */
  async take(input: StreamElement): Promise<void> {
    if (this.#isEarly(input)) {
      this.#behind.push(input);
      if (this.#behind.length > maxBehind) await this.#letPass(1);
      return;
    }
    const { kind, turn } = input;
    const isOver = (kind === 'speech-end' && input.misfire) || kind === 'turn-end';
    if (kind === 'speech-start') this.#open = turn;
    else if (kind === 'audio') this.#hear(input);
    else if (kind === 'utterance') await this.#transcribe(input);
    else if (isOver) this.#forget(turn);
    const consumed = kind === 'audio' || kind === 'utterance';
    if (!consumed || this.#options.forwardAudio === true) await this.#output.write(input);
    if (isOver && turn === this.#open) await this.finish();
  }

  /** No turn is being spoken any more: what waited behind it passes. */
  async finish(): Promise<void> {
    this.#open = undefined;
    await this.#letPass(this.#behind.length);
  }

  /** Ends the run: stops what is being transcribed and closes the port. */
  close(): void {
    this.#over.abort();
    this.#listening?.listener.close();
    this.#listening = undefined;
    this.#options.words?.close();
  }

  /** True for what belongs to a turn after the one being spoken, and does not steer. */
  #isEarly({ kind, turn }: StreamElement): boolean {
    const isSpoken = kind === 'audio' || kind === 'utterance' || kind.startsWith('speech-');
    if (isSpoken || kind === 'interrupt' || kind === 'end') return false;
    return this.#open !== undefined && turn > this.#open;
  }

  async #letPass(count: number): Promise<void> {
    for (const input of this.#behind.splice(0, count)) await this.#output.write(input);
  }

  #hear(audio: AudioElement): void {
    const { recognizer, interims = true } = this.#options;
    // An utterance of another rate becomes an error element; its interims are just not there.
    const fits = audio.sampleRate === recognizer.sampleRate;
    if (!interims || recognizer.stream === undefined || !fits) {
      this.#tellNone(audio.turn);
      return;
    }
    if (this.#listening?.turn !== audio.turn) {
      this.#listening?.listener.close();
      this.#listening = { turn: audio.turn, listener: this.#listenTo(audio) };
    }
    this.#listening.listener.hear(audio.samples);
  }

  #listenTo({ turn, at }: AudioElement): InterimListener {
    const { recognizer, interimEveryMs = 300 } = this.#options;
    const stream = recognizer.stream?.();
    if (stream === undefined) throw new AntiphonError('unsupported', 'the engine cannot stream');
    // Ears may wait for what a slow engine makes of a short sound.
    this.#tellWords({ type: 'words', turn, text: '', final: false, until: at });
    return new InterimListener({
      stream,
      sampleRate: recognizer.sampleRate,
      everyMs: interimEveryMs,
      clock: this.#context.clock,
      onFinished: (text, untilMs) =>
        this.#tellWords({ type: 'words', turn, text, final: false, until: at + untilMs }),
      onInterim: (heard) => {
        // The next one replaces it, so one that finds no room is not missed.
        if (this.#output.writable) this.#output.offer(this.#transcript(heard, turn, at, false));
      },
      onFailure: (error) =>
        this.#context.emit('interim-failed', serializeError(toAntiphonError(error, 'model-run'))),
    });
  }

  #forget(turn: number): void {
    if (this.#listening?.turn !== turn) return;
    this.#listening.listener.close();
    this.#listening = undefined;
  }

  async #transcribe(utterance: UtteranceElement): Promise<void> {
    const { turn, at, meta } = utterance;
    this.#forget(turn);
    try {
      const heard = await this.#understand(utterance);
      const text = heard.text.trim();
      const transcript = this.#transcript({ ...heard, text }, turn, at, true);
      this.#tellWords({ type: 'words', turn, text, final: true });
      await this.#output.write(transcript);
      if (text === '') return;
      const message = textMessage('user', text);
      const { confidence } = heard;
      const words = transcript.words ?? [];
      await this.#output.write(
        element('message', {
          turn,
          at,
          source: this.#name,
          message,
          meta: { ...meta, confidence, words },
        }),
      );
    } catch (thrown) {
      if (this.#signal.aborted) throw thrown;
      this.#tellWords({ type: 'words', turn, text: '', final: true });
      await this.#output.write(this.#failure(thrown, turn, at));
    }
  }

  #understand({ samples, sampleRate }: UtteranceElement): Promise<Recognition> {
    const { recognizer, retry } = this.#options;
    if (sampleRate !== recognizer.sampleRate)
      throw new AntiphonError(
        'audio-format',
        `an utterance at ${sampleRate} Hz, not ${recognizer.sampleRate}`,
        { hint: `Resample to ${recognizer.sampleRate} Hz before this stage.` },
      );
    const { clock } = this.#context;
    return transcribePatiently(recognizer, samples, { signal: this.#signal, clock }, retry);
  }

  #transcript(
    { text, words, confidence }: Recognition,
    turn: number,
    at: number,
    final: boolean,
  ): Extract<StreamElement, { kind: 'transcript' }> {
    const { language } = this.#options;
    const onCaptureClock = (word: TimedWord): TimedWord => ({
      text: word.text,
      start: at + word.start,
      end: at + word.end,
    });
    return element('transcript', {
      turn,
      at,
      source: this.#name,
      text,
      final,
      confidence,
      words: words.map(onCaptureClock),
      ...(language === undefined ? {} : { language }),
    });
  }

  /** Ears need not wait for words of this turn. */
  #tellNone(turn: number): void {
    if (turn === this.#wordless) return;
    this.#wordless = turn;
    this.#tellWords({ type: 'words', turn, text: '', final: false, until: Infinity });
  }

  #tellWords(words: FloorWords): void {
    this.#options.words?.postMessage(words);
  }

  #failure(thrown: unknown, turn: number, at: number): StreamElement {
    const error = toAntiphonError(thrown, 'model-run');
    const named = new AntiphonError(error.code, error.message, {
      hint: error.hint || 'The utterance was not understood; the conversation goes on.',
      retryable: error.retryable,
      stage: this.#name,
      ...(error.details === undefined ? {} : { details: error.details }),
      ...(error.cause === undefined ? {} : { cause: error.cause }),
    });
    return element('error', { turn, at, source: this.#name, error: serializeError(named) });
  }
}
