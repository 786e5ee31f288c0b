/** The stage that hears: cuts the microphone's stream into turns and tells when the person takes the floor. */
import { channel } from '../../core/channel/channel.ts';
import type { StreamElement } from '../../core/element.ts';
import type { AudioFormat, Stage, StageContext } from '../../core/stage/stage.ts';
import type { AudioTurnOptions } from './audio-turn-options.ts';
import { TurnSession } from './turn-session.ts';

/** What the stage emits besides what it passes on. */
export type AudioTurnKind =
  | 'speech-start'
  | 'audio'
  | 'speech-end'
  | 'utterance'
  | 'turn-end'
  | 'interrupt'
  | 'error';

/** Outputs that may wait for a slow reader: audio of about a minute. */
const capacity = 2048;

/**
 * Consumes the microphone's `audio` (the detector's rate, chunks of any length) and emits, per turn:
 * `speech-start` at the first sign (64 ms of speech), then the turn's `audio` (500 ms of pre-roll first),
 * `speech-end`, and, unless that says `misfire`, the `utterance` (pre-roll to 200 ms behind the end of
 * speech) and `turn-end`. Numbers of misfired turns are skipped.
 *
 * Someone who talks over the assistant pauses playback through the `floor` port at the first sign. When
 * it turns out to be a claim (500 ms of speech, or a word that is no back-channel) playback is flushed and
 * an `interrupt` leaves at once; else playback resumes from the same sample and the turn is a misfire.
 * While a reply is awaited and nothing is audible, 250 ms of speech, or such a word, interrupt. A sound shorter than that is a
 * misfire unless a word was understood. What the assistant begins to say while the person speaks is held until they are done.
 *
 * It hears on while its reader is slow: up to 2 048 elements wait, then the oldest `audio` of them is
 * dropped (event `audio-dropped`); control and utterances are never dropped, they hold up the input.
 * Events: `level` (15 a second, where `levels` asks for it), `speech-start`, `speech-confirmed`, `vad-late`, `audio-dropped`,
 * `turn-detector-failed`, and `progress` while the model loads. Errors: those of the detector.
 */
export class AudioTurnStage implements Stage<'audio', AudioTurnKind> {
  readonly name: string;
  readonly type = 'accumulate';
  readonly session = 'safe';
  readonly consumes: readonly ['audio'] = ['audio'];
  readonly emits: readonly AudioTurnKind[] = [
    'speech-start',
    'audio',
    'speech-end',
    'utterance',
    'turn-end',
    'interrupt',
    'error',
  ];
  readonly format: { readonly input: AudioFormat; readonly output: AudioFormat };
  readonly #options: AudioTurnOptions;

  constructor(options: AudioTurnOptions) {
    this.#options = options;
    this.name = options.name ?? 'audio-turn';
    const { sampleRate } = options.vad;
    this.format = { input: { sampleRate }, output: { sampleRate } };
  }

  /** Loads the detector. */
  async prepare(context: StageContext): Promise<void> {
    await this.#options.vad.load((progress) => context.emit('progress', progress), context.signal);
  }

  /** Hears until the input ends; one run at a time. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const { writer, reader } = channel<StreamElement>({
      capacity,
      overflow: 'drop-oldest',
      keep: ({ kind }) => kind !== 'audio',
      onDrop: ({ turn, at }) => context.emit('audio-dropped', { turn, at }),
    });
    let room: Promise<unknown> = Promise.resolve();
    const emit = (output: StreamElement): void => {
      if (output.kind === 'interrupt') writer.overtake(output);
      else if (!writer.offer(output)) {
        room = Promise.all([room, writer.write(output)]);
        // Awaited below; a reader that has gone in the meantime is seen there.
        room.catch(() => undefined);
      }
    };
    const turns = new TurnSession(this.name, this.#options, context, emit);
    const hearing = async (): Promise<void> => {
      let end: StreamElement | undefined;
      for await (const incoming of input) {
        if (incoming.kind === 'audio') await turns.hear(incoming);
        else if (incoming.kind === 'end') end = incoming;
        else emit(incoming);
        await room;
        if (writer.cancelled.aborted) return;
      }
      await turns.finish();
      if (end) emit(end);
      await room;
    };
    try {
      hearing().then(
        () => writer.close(),
        (error: unknown) => writer.fail(error),
      );
      yield* reader;
    } finally {
      reader.cancel();
      turns.close();
    }
  }

  /** Frees the detector. */
  async dispose(): Promise<void> {
    await this.#options.vad.dispose();
  }
}
