/** The simple ear: from microphone audio to one user message per turn, without a floor to fight over. */
import { element, textMessage, type AudioElement, type StreamElement } from '../../core/element.ts';
import { AntiphonError, serializeError, toAntiphonError } from '../../core/errors.ts';
import type { AudioFormat, Stage, StageContext } from '../../core/stage/stage.ts';
import type { RetryPolicy } from '../../providers/http/retry.ts';
import type { Recognizer } from '../../speech/stt/recognizer.ts';
import { Framer } from '../../speech/turn/framer.ts';
import type { VoiceActivityDetector } from '../../speech/vad/voice-activity.ts';
import { transcribePatiently } from './transcribe-patiently.ts';
import { SilenceTurns, type SilenceTurn, type SilenceTurnOptions } from './silence-turns.ts';

/** What a {@link VADAccumulatorStage} needs and what can be tuned. */
export interface VADAccumulatorOptions extends SilenceTurnOptions {
  /** Tells speech from silence. One run at a time. The stage loads and disposes it. */
  readonly vad: VoiceActivityDetector;
  /** Understands, at the detector's sample rate. The stage loads it; disposing is the caller's. */
  readonly recognizer: Recognizer;
  /** How often a turn is tried again after a retryable error: 3 attempts, 250 ms, at most 2 s unless given. */
  readonly retry?: RetryPolicy;
  /** Default `vad-accumulator`. */
  readonly name?: string;
}

/**
 * Consumes `audio` (the detector's rate, chunks of any length) and emits, for each
 * turn with speech in it: `speech-start` when it is sure, and once it is over `speech-end`, the user `message`
 * (element meta `{confidence}`) and `turn-end`. Turns are numbered from one more than the highest number
 * that passed. A turn ends after `silenceMs` of silence, after `maxTurnMs`, or with the input; all in audio
 * time, so that a recording gives the same turns as a microphone. Everything else passes in order.
 *
 * It neither interrupts nor gives interim transcripts, and audio waits while a turn is transcribed: for
 * conversations that are talked over use `AudioTurnStage` and `STTStage`.
 *
 * Nothing is emitted for a noise shorter than `minSpeechMs`; a turn without words has no `message`. What can't
 * be transcribed, after the retries, becomes an `error` element, and the turn ends all the same; so does
 * audio of another rate (`audio-format`, once per rate; it is dropped). A detector that fails fails the run.
 * Event `progress` while the models load.
 *
 * @example
 * builder.chain(microphone, new VADAccumulatorStage({ vad, recognizer }), provider);
 */
export class VADAccumulatorStage implements Stage<
  'audio',
  'speech-start' | 'speech-end' | 'message' | 'turn-end' | 'error'
> {
  readonly name: string;
  readonly type = 'accumulate';
  readonly session = 'safe';
  readonly consumes = ['audio'] as const;
  readonly emits = ['speech-start', 'speech-end', 'message', 'turn-end', 'error'] as const;
  readonly format: { readonly input: AudioFormat };
  readonly #options: VADAccumulatorOptions;

  /** @throws `audio-format` when detector and recogniser want different sample rates. */
  constructor(options: VADAccumulatorOptions) {
    this.#options = options;
    this.name = options.name ?? 'vad-accumulator';
    const { sampleRate } = options.vad;
    this.format = { input: { sampleRate } };
    if (options.recognizer.sampleRate !== sampleRate)
      throw new AntiphonError(
        'audio-format',
        `The detector takes ${sampleRate} Hz, the recogniser ${options.recognizer.sampleRate} Hz.`,
        { hint: 'Use AudioTurnStage, a resampler and STTStage.', stage: this.name },
      );
  }

  /** Loads detector and recogniser. */
  async prepare(context: StageContext): Promise<void> {
    const { vad, recognizer } = this.#options;
    const onProgress = (progress: unknown): void => context.emit('progress', progress);
    await Promise.all([
      vad.load(onProgress, context.signal),
      recognizer.load(onProgress, context.signal),
    ]);
  }

  /** Hears until the input ends; one run at a time. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const { vad } = this.#options;
    const framer = new Framer(vad.frameSize, vad.sampleRate);
    const turns = new SilenceTurns(vad.sampleRate, this.#options);
    let refusedRate = vad.sampleRate;
    let end: StreamElement | undefined;
    vad.reset();
    for await (const item of input) {
      turns.sawTurn(item.turn);
      if (item.kind === 'end') end = item;
      else if (item.kind !== 'audio') yield item;
      else if (item.sampleRate !== vad.sampleRate) {
        if (refusedRate !== item.sampleRate) yield this.#refusal(item);
        refusedRate = item.sampleRate;
      } else
        for (const { samples, at } of framer.push(item.samples, item.at)) {
          const probability = await vad.process(samples);
          yield* this.#follow(turns.feed(samples, at, probability), context);
        }
    }
    const rest = framer.flush();
    if (rest) {
      const probability = await vad.process(rest.samples);
      yield* this.#follow(turns.feed(rest.samples, rest.at, probability), context);
    }
    yield* this.#follow(turns.finish(), context);
    if (end) yield end;
  }

  /** Frees the detector. */
  async dispose(): Promise<void> {
    await this.#options.vad.dispose();
  }

  async *#follow(
    change: SilenceTurn | undefined,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    if (!change) return;
    const { turn } = change;
    const source = this.name;
    if (change.type === 'start') {
      yield element('speech-start', { turn, at: change.at, source });
      return;
    }
    yield element('speech-end', { turn, at: change.speechEnd, source, misfire: false });
    const transcribed = await this.#transcribe(change, context);
    if (transcribed) yield transcribed;
    yield element('turn-end', { turn, at: change.at, source });
  }

  async #transcribe(
    { turn, recording }: Extract<SilenceTurn, { type: 'end' }>,
    context: StageContext,
  ): Promise<StreamElement | undefined> {
    const facts = { turn, at: recording.at, source: this.name };
    const { recognizer, retry } = this.#options;
    try {
      const { samples } = recording;
      const heard = await transcribePatiently(recognizer, samples, context, retry);
      const text = heard.text.trim();
      if (text === '') return undefined;
      const { confidence } = heard;
      return element('message', {
        ...facts,
        message: textMessage('user', text),
        meta: { confidence },
      });
    } catch (thrown) {
      if (context.signal.aborted) throw thrown;
      const error = serializeError(toAntiphonError(thrown, 'model-run'));
      const hint = error.hint || 'The turn was not understood; the conversation goes on.';
      return element('error', { ...facts, error: { ...error, hint, stage: this.name } });
    }
  }

  #refusal({ sampleRate, turn, at }: AudioElement): StreamElement {
    const expected = this.#options.vad.sampleRate;
    const error = new AntiphonError('audio-format', `audio at ${sampleRate} Hz, not ${expected}`, {
      stage: this.name,
      hint: `Resample to ${expected} Hz before this stage; until then it hears nothing.`,
      details: { sampleRate, expected },
    });
    return element('error', { turn, at, source: this.name, error: serializeError(error) });
  }
}
