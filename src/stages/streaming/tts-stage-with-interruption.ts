/** The voice of a live session: speaks a reply while it is still being written, and falls silent at once. */
import type { StreamElement } from '../../core/element.ts';
import { channel } from '../../core/channel/channel.ts';
import type { AudioFormat, Stage, StageContext } from '../../core/stage/stage.ts';
import { loadVoice } from './load-voice.ts';
import { ReplySpeaker } from './reply-speaker.ts';
import type { TTSWithInterruptionOptions } from './tts-options.ts';

/**
 * Speaks the assistant sentence by sentence: increments (`text` with `delta`) as they arrive, "say this"
 * texts, and messages that had no increments. User and tool messages and stored history pass in silence.
 * A text with `meta.filler` is spoken as it comes, in pieces without text: it is no part of the reply it bridges a gap of.
 * An assistant `message` is passed on after its speech; the speech of a reply ends with a piece that says
 * `last`. Speech is mono, at the engine's rate or `outputSampleRate`, in pieces of at most `maxPieceMs` that end where
 * words end; at most `lookAhead` of them wait for a slow reader.
 *
 * An interrupt (`turnSignal`) stops the synthesis between two sentences and drops the speech that waits: the only
 * thing it ever drops. A sentence that can't be spoken, after the retries, gives an `error` element with
 * `details.text`, and the rest of the reply is spoken. A voice that can't be loaded fails the run with `model-load`.
 * Events: `first-sentence` and `first-audio`, each with `{turn}`, and `progress` while the voice loads.
 */
export class TTSStageWithInterruption implements Stage<
  'text' | 'message',
  'speech' | 'message' | 'error'
> {
  readonly name: string;
  readonly type = 'transform';
  readonly session = 'safe';
  readonly consumes: readonly ['text', 'message'] = ['text', 'message'];
  readonly emits: readonly ['speech', 'message', 'error'] = ['speech', 'message', 'error'];
  readonly format: { readonly output?: AudioFormat };
  readonly #options: TTSWithInterruptionOptions;

  constructor(options: TTSWithInterruptionOptions) {
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
    const { writer, reader } = channel<StreamElement>({ capacity: this.#options.lookAhead ?? 24 });
    const speaker = new ReplySpeaker(this.name, this.#options, context, {
      write: (item, signal) => writer.write(item, signal === undefined ? {} : { signal }),
      discard: (turn) => reader.discard((item) => item.kind === 'speech' && item.turn <= turn),
    });
    // Works ahead of the reader, so that the next sentence is ready when this one has been taken.
    const work = async (): Promise<void> => {
      try {
        for await (const item of input) await speaker.take(item);
        await speaker.end();
        writer.close();
      } catch (error) {
        writer.fail(error);
      }
    };
    void work();
    try {
      for await (const item of reader) yield item;
    } finally {
      reader.cancel();
    }
  }
}
