/** Speaks whole replies: one text, one piece of speech. For live sessions see `TTSStageWithInterruption`. */
import {
  element,
  messageText,
  type MessageElement,
  type StreamElement,
  type TextElement,
} from '../../core/element.ts';
import { AntiphonError } from '../../core/errors.ts';
import type { AudioFormat, Stage, StageContext } from '../../core/stage/stage.ts';
import { loadVoice } from './load-voice.ts';
import { speechError, synthesizeWithRetry } from './speech-error.ts';
import { SpeechPieces } from './speech-pieces.ts';
import { isFiller, isReply, isSpokenText } from './spoken-text.ts';
import type { TTSOptions } from './tts-options.ts';

/**
 * Consumes `message` and `text`, and speaks each message of the assistant and each "say this" text, whole: one
 * `speech` element each (mono, at the engine's rate or `outputSampleRate`, `last`), a word's mark where it begins. Increments of
 * a reply are taken out of the stream, for the message with the same text follows them; messages are passed on after
 * their speech. What others say, stored history, texts without words and everything else pass in silence.
 *
 * A text that can't be spoken, after the retries, gives an `error` element, and its message passes. An interrupt stops
 * the synthesis and drops the speech of its turn, nothing else. Event `progress` while the voice loads, which
 * may fail the run with `model-load`. Session-safe; for conversations that are talked over use
 * `TTSStageWithInterruption`, which speaks while the reply is being written.
 */
export class TTSStage implements Stage<'text' | 'message', 'speech' | 'message' | 'error'> {
  readonly name: string;
  readonly type = 'transform';
  readonly session = 'safe';
  readonly consumes: readonly ['text', 'message'] = ['text', 'message'];
  readonly emits: readonly ['speech', 'message', 'error'] = ['speech', 'message', 'error'];
  readonly format: { readonly output?: AudioFormat };
  readonly #options: TTSOptions;

  constructor(options: TTSOptions) {
    const { outputSampleRate } = options;
    this.name = options.name ?? 'tts';
    this.format =
      outputSampleRate === undefined ? {} : { output: { sampleRate: outputSampleRate } };
    this.#options = options;
  }

  /** Loads the voice. */
  prepare(context: StageContext): Promise<void> {
    return loadVoice(this.#options.synthesizer, context);
  }

  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    for await (const item of input) {
      if (item.kind === 'text') {
        if (!isSpokenText(item)) yield item;
        else if (!item.delta) yield* this.#speak(item, item.text, context);
        continue;
      }
      if (item.kind === 'message' && isReply(item))
        yield* this.#speak(item, messageText(item.message), context);
      yield item;
    }
  }

  async *#speak(
    of: TextElement | MessageElement,
    text: string,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const { synthesizer, outputSampleRate, minTextLength = 1, retry } = this.#options;
    if (text.trim().length < minTextLength) return;
    const facts = { turn: of.turn, at: of.at, source: this.name };
    const signal = AbortSignal.any([context.signal, context.turnSignal(of.turn)]);
    if (signal.aborted) return;
    try {
      const speech = await synthesizeWithRetry(
        synthesizer,
        text,
        { signal, clock: context.clock },
        retry,
      );
      if (signal.aborted) return;
      const [piece] = new SpeechPieces(outputSampleRate, Infinity).cut(speech, facts);
      const spoken = piece ?? element('speech', { ...facts, ...speech, text, last: true });
      // Who counts what was heard of the reply must not find words in it that it does not have.
      const unheard = of.kind === 'text' && isFiller(of) ? { text: '', marks: [] } : {};
      yield { ...spoken, ...unheard, last: true };
    } catch (error) {
      if (signal.aborted || AntiphonError.is(error, 'aborted')) return;
      yield speechError(error, text, facts);
    }
  }
}
