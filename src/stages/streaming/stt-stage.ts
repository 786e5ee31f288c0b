/** The stage that writes down: the person's turns become transcripts and user messages. */
import { channel } from '../../core/channel/channel.ts';
import type { StreamElement } from '../../core/element.ts';
import type { AudioFormat, Stage, StageContext } from '../../core/stage/stage.ts';
import type { STTStageOptions } from './stt-options.ts';
import { TurnScribe } from './turn-scribe.ts';

/** What the stage emits besides what it passes on. */
export type STTKind = 'transcript' | 'message' | 'error';
/** What the stage consumes, and passes on when it `forwardAudio`. */
export type SpokenKind = 'audio' | 'utterance';

/** Outputs that may wait for a slow reader. */
const capacity = 32;

/**
 * Consumes a turn's `audio` and its `utterance`, at the recogniser's rate. While the person speaks it emits
 * interim `transcript`s, which replace each other; for the utterance it emits the final `transcript`,
 * always of the whole utterance, and, unless that is empty, a user `message` directly behind it, whose
 * element carries `meta: {confidence, words}`. Both are out before the `turn-end` that follows. Times of
 * words are on the capture clock. A misfired turn leaves nothing behind.
 *
 * `audio` and `utterance` end here unless they are to be forwarded, and an interim that finds no room is left out: the
 * next replaces it. Everything else passes in order; an interrupt passes a transcription that is under way. What comes
 * in of later turns while one is being spoken (typed text, for example) waits until that one is over, so that nobody is
 * answered while they speak, and the conversation keeps its order; up to 64 elements wait.
 *
 * What can't be transcribed, after the retries, becomes an `error` element; the turn ends all the same. So does an
 * utterance of another rate (`audio-format`). A model that can't be loaded fails the run with `model-load`.
 * Events: `progress` while the model loads, `interim-failed`. An engine that can't stream gives no interims.
 * The recogniser stays the caller's: it may serve many runs.
 */
export class STTStage<Forward extends boolean = false> implements Stage<
  SpokenKind,
  STTKind | (Forward extends true ? SpokenKind : never)
> {
  readonly name: string;
  readonly type = 'transform';
  readonly session = 'safe';
  readonly consumes: readonly SpokenKind[] = ['audio', 'utterance'];
  readonly emits: readonly (STTKind | (Forward extends true ? SpokenKind : never))[];
  readonly format: { readonly input: AudioFormat };
  readonly #options: STTStageOptions<Forward>;

  constructor(options: STTStageOptions<Forward>) {
    this.#options = options;
    this.name = options.name ?? 'stt';
    const emits: readonly (STTKind | SpokenKind)[] = [
      'transcript',
      'message',
      'error',
      ...(options.forwardAudio === true ? this.consumes : []),
    ];
    this.emits = emits as typeof this.emits;
    this.format = { input: { sampleRate: options.recognizer.sampleRate } };
  }

  /** Loads the recogniser. */
  async prepare(context: StageContext): Promise<void> {
    const { recognizer } = this.#options;
    await recognizer.load((progress) => context.emit('progress', progress), context.signal);
  }

  /** Transcribes until the input ends. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const { writer, reader } = channel<StreamElement>({ capacity });
    const scribe = new TurnScribe(this.name, this.#options, context, writer);
    const writing = async (): Promise<void> => {
      for await (const element of input) {
        await scribe.take(element);
        if (writer.cancelled.aborted) return;
      }
      await scribe.finish();
    };
    try {
      writing().then(
        () => writer.close(),
        (error: unknown) => writer.fail(error),
      );
      yield* reader;
    } finally {
      reader.cancel();
      scribe.close();
    }
  }
}
