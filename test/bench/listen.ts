/** Two ways to hear turns from the microphone: our capture worklet and ears worker, and vad-web's MicVAD. */
import { AudioEdge, inWorker, MicrophoneStage, PipelineBuilder } from '../../src/index.ts';
import {
  captureWorkletUrl,
  earsWorker,
  playbackWorkletUrl,
  sileroModelUrl,
} from '../../src/assets.ts';

/** What the page was told. */
export interface Heard {
  readonly starts: number;
  /** Turns whose samples arrived. */
  readonly turns: number;
}

/** The file is no room: nothing to cancel, nothing to suppress. */
const getStream = (): Promise<MediaStream> =>
  navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });

/** Microphone → ears → a worker that takes the frames of a turn, as scribe does; the page gets whole turns. */
export async function listenWithAntiphon(): Promise<() => Heard> {
  let [starts, turns] = [0, 0];
  const edge = new AudioEdge({
    captureWorklet: captureWorkletUrl(),
    playbackWorklet: playbackWorkletUrl(),
    getStream,
  });
  const ears = inWorker(
    earsWorker,
    'ears',
    { modelUrl: String(sileroModelUrl()) },
    {
      type: 'accumulate',
      session: 'safe',
      consumes: ['audio'],
      emits: ['audio', 'utterance', 'speech-start', 'speech-end', 'turn-end'],
    },
  );
  const takeFrames = inWorker(
    () => new Worker(new URL('./frames.worker.ts', import.meta.url), { type: 'module' }),
    'take frames',
    {},
    { type: 'sink', session: 'safe', consumes: ['audio'], emits: [] },
  );
  const run = new PipelineBuilder({ session: 'live' })
    .chain(new MicrophoneStage(edge), ears, takeFrames)
    .build()
    .execute([]);
  let failure: unknown;
  const watch = async (): Promise<void> => {
    for await (const one of run) {
      if (one.kind === 'speech-start') starts += 1;
      if (one.kind === 'utterance') turns += 1;
    }
  };
  watch().catch((error: unknown) => (failure = error));
  await run.ready;
  return () => {
    if (failure !== undefined) throw failure;
    return { starts, turns };
  };
}

/** The same model with MicVAD, as its documentation shows it. */
export async function listenWithMicVAD(): Promise<() => Heard> {
  const { MicVAD } = await import('@ricky0123/vad-web');
  let [starts, turns] = [0, 0];
  const vad = await MicVAD.new({
    model: 'v6',
    baseAssetPath: '/vad-web/',
    onnxWASMBasePath: '/onnxruntime-web/',
    startOnLoad: true,
    getStream,
    onSpeechStart: () => {
      starts += 1;
    },
    onSpeechEnd: () => {
      turns += 1;
    },
  });
  return () => {
    if (vad.errored !== null) throw new Error(vad.errored);
    return { starts, turns };
  };
}
