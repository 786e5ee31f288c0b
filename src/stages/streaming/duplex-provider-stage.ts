/** A speech-to-speech model in the conversation: hears, thinks and speaks in one session. */
import { channel } from '../../core/channel/channel.ts';
import type { StreamElement } from '../../core/element.ts';
import type { AudioFormat, Stage, StageContext } from '../../core/stage/stage.ts';
import type { DuplexOptions } from './duplex/options.ts';
import { DuplexRun } from './duplex/run.ts';

/** What the stage consumes, wherever it lives. */
export const duplexConsumes = ['audio', 'utterance', 'message', 'text'] as const;

/** What the stage emits besides what it passes on. */
export const duplexEmits = [
  'transcript',
  'message',
  'text',
  'speech',
  'tool-call',
  'tool-result',
  'speech-start',
  'speech-end',
  'turn-end',
  'interrupt',
  'error',
] as const;

/** Kinds that a `DuplexProviderStage` consumes. */
export type DuplexConsumed = (typeof duplexConsumes)[number];

/** Kinds that a `DuplexProviderStage` emits. */
export type DuplexKind = (typeof duplexEmits)[number];

/** Outputs that may wait: few, so that words are assigned to speech as late as possible. */
const capacity = 4;

/**
 * Holds one session with a realtime model: takes the person's audio, gives the reply as `speech` with words, and as
 * `text` and `message`; runs the tools it calls. Each turn is told as the person's `message`, then the assistant's,
 * then `turn-end`; sound waits for none of them.
 *
 * With a provider of `local` turn detection an `AudioTurnStage` goes before it: its turns are streamed while they are
 * spoken, and forgotten when they turn out to be misfires. With `server` detection the microphone's unbroken audio
 * goes in, and turns are numbered here. Typed text (`message` and `turn-end`) and texts to be said go in with both.
 * An interrupt cuts the reply, and the session is told how much was really heard: the rendered samples the `floor`
 * port reports.
 *
 * The session is opened with the first thing to send, or when the run begins (`eager`); audio waits for it, bounded. A session that is lost is opened
 * again with the history, and what was not answered is asked again; one that ends soon is exchanged in a pause. When
 * none can be had the stage tells the `error`, ends every turn and then its output: it does not throw.
 *
 * A call that is answered from outside ends the turn. When its answer has come (`tools-answered`), a `turn-end` of a turn
 * of its own makes the model go on with it; the answers go along with what the person says, when they speak first.
 *
 * Events: `realtime-connected`, `realtime-reconnecting`, `realtime-lost`, `realtime-expiring`, `realtime-exchange`,
 * `realtime-given-up`, `audio-dropped`, `turn-committed`, `transcript-late`, `first-token`, `first-audio`, `truncated`,
 * `reply-too-long`, `tools-answered`, those of tools (`ToolEvent`); `element` where `tell` asks for it.
 */
export class DuplexProviderStage implements Stage<DuplexConsumed, DuplexKind> {
  readonly name: string;
  readonly type = 'duplex';
  readonly session = 'safe';
  readonly consumes: readonly DuplexConsumed[] = duplexConsumes;
  readonly emits: readonly DuplexKind[] = duplexEmits;
  readonly format: { readonly output: AudioFormat };
  readonly #options: DuplexOptions;

  constructor(options: DuplexOptions) {
    this.#options = options;
    this.name = options.name ?? 'duplex';
    const { outputSampleRate = options.provider.outputSampleRate } = options;
    this.format = { output: { sampleRate: outputSampleRate } };
  }

  /** Runs one conversation; see the class. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const { writer, reader } = channel<StreamElement>({ capacity });
    const run = new DuplexRun(this.name, this.#options, context, {
      writer,
      discard: (turn) => reader.discard((item) => item.kind === 'speech' && item.turn <= turn),
    });
    const work = async (): Promise<void> => {
      if (this.#options.eager === true) run.connect();
      for await (const item of input) run.person.take(item);
      run.end();
    };
    work().catch((error: unknown) => writer.fail(error));
    try {
      yield* reader;
    } finally {
      run.close();
      reader.cancel();
    }
  }
}
