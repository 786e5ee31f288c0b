/** The loudspeaker as a stage: speech goes from the port of the stage before it into the playback worklet. */
import type { AudioDevices } from '../../audio/audio-edge.ts';
import type { StreamElement } from '../../core/element.ts';
import { AntiphonError } from '../../core/errors.ts';
import { processRemotely } from '../../core/stage/remote-stage.ts';
import type { RemoteStage, StageContext, StageEnds } from '../../core/stage/stage.ts';
import { streamOf } from './microphone-stage.ts';

/**
 * Consumes `speech` (at the rate of the edge's context) and lets everything else through when rendering
 * reaches its place: a `message` of the assistant leaves when its speech was played or voided, completed
 * with `heard` and `queued`. Increments of a reply's text end here. Speech of another rate becomes an
 * `error` element, once a turn.
 *
 * @throws AntiphonError from `attach`: those of `AudioEdge.open`
 */
export class SpeakerStage implements RemoteStage<'speech', 'message' | 'error'> {
  readonly name: string;
  readonly type = 'transform';
  readonly session = 'safe';
  readonly thread = 'playback worklet';
  readonly consumes: readonly 'speech'[] = ['speech'];
  readonly emits: readonly ('message' | 'error')[] = ['message', 'error'];
  readonly #edge: AudioDevices;

  /** @param edge shared with the microphone, so that both sit in one audio context */
  constructor(edge: AudioDevices, name: string = 'speaker') {
    this.#edge = edge;
    this.name = name;
  }

  /** Opens the speaker; `done` settles when all was played after the input closed, or the run ended. */
  async attach(
    { input, output }: StageEnds,
    context: StageContext,
  ): Promise<{ readonly done: Promise<void> }> {
    if (!input)
      throw new AntiphonError('graph', `The stage "${this.name}" has nothing before it.`, {
        hint: 'Chain it behind a TTS stage.',
      });
    await this.#edge.open({ signal: context.signal });
    const { done } = streamOf(await this.#edge.openSpeaker({ input, output }), context.signal);
    // A long reply is no idleness, though no element moves meanwhile.
    const unheard = this.#edge.on('heard', () => context.emit('activity'));
    return { done: done.finally(unheard) };
  }

  /** Plays what `input` gives and yields the rest, on this thread. */
  process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncIterable<StreamElement> {
    return processRemotely(this, input, context);
  }
}
