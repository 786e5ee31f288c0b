/** The microphone as a stage: a source whose frames leave from the capture worklet. */
import { frameRate } from '../../audio/capture-framer.ts';
import type { AudioDevices, EdgeStream } from '../../audio/audio-edge.ts';
import type { StreamElement } from '../../core/element.ts';
import { processRemotely } from '../../core/stage/remote-stage.ts';
import type { AudioFormat, RemoteStage, StageContext, StageEnds } from '../../core/stage/stage.ts';

/**
 * Emits `audio`: 512 samples at 16 kHz, `at` on the capture clock. A source; asks for the microphone when
 * a run starts and lets go of it when the run ends. The port of the next stage is transferred into the
 * worklet, so that no frame passes through the page.
 *
 * @throws AntiphonError from `attach`: those of `AudioEdge.openMicrophone`; `microphone-ended` from `done`
 */
export class MicrophoneStage implements RemoteStage<never, 'audio'> {
  readonly name: string;
  readonly type = 'generate';
  readonly session = 'safe';
  readonly source = true;
  readonly thread = 'capture worklet';
  readonly consumes: readonly never[] = [];
  readonly emits: readonly 'audio'[] = ['audio'];
  readonly format: { readonly output: AudioFormat } = { output: { sampleRate: frameRate } };
  readonly #edge: AudioDevices;

  /** @param edge shared with the speaker, so that both sit in one audio context */
  constructor(edge: AudioDevices, name: string = 'microphone') {
    this.#edge = edge;
    this.name = name;
  }

  /** Opens the microphone; `done` settles when it is closed, and rejects when it is taken away. */
  async attach(
    { output }: StageEnds,
    context: StageContext,
  ): Promise<{ readonly done: Promise<void> }> {
    await this.#edge.open({ signal: context.signal });
    return streamOf(await this.#edge.openMicrophone(output), context.signal);
  }

  /** The frames, on this thread. */
  process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncIterable<StreamElement> {
    return processRemotely(this, input, context);
  }
}

/** Ties an open device to a run: closed when the run's signal aborts. */
export function streamOf(
  stream: EdgeStream,
  signal: AbortSignal,
): { readonly done: Promise<void> } {
  const close = (): void => stream.close();
  if (signal.aborted) close();
  else signal.addEventListener('abort', close, { once: true });
  return { done: stream.done.finally(() => signal.removeEventListener('abort', close)) };
}
