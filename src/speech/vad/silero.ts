/**
 * Silero VAD (https://github.com/snakers4/silero-vad, v5 and v6 share one interface) as a
 * `VoiceActivityDetector`, through the model class of `@ricky0123/vad-web` and the realm's own runtime.
 */
import { Silero } from '@ricky0123/vad-web/dist/models/silero.js';
import { AntiphonError, toAntiphonError } from '../../core/errors.ts';
import { type WasmPaths, createSession, disposeTensors, ort, runSession } from '../onnx-runtime.ts';
import { serialQueue } from '../serial-queue.ts';
import { sharedLoad } from '../shared-load.ts';
import type { OnProgress } from '../stt/recognizer.ts';
import type { VoiceActivityDetector } from './voice-activity.ts';

/** What {@link sileroVoiceActivityDetector} needs. */
export interface SileroOptions {
  /** Where `silero_vad_v6.onnx` (or v5) is served. */
  readonly modelUrl: string | URL;
  /** Where ORT's `.wasm` is served; not needed with a bundler. */
  readonly wasmPaths?: WasmPaths;
}

/** In hertz; the model knows 8 000 as well, vad-web's class does not. */
const sampleRate = 16_000;
/** Samples a frame: 32 ms. The class puts the last 64 samples of the frame before in front, without which v6 hears nothing. */
const frameSize = 512;
/** The first runs are up to a hundred times slower than the rest: they belong to loading. */
const warmUpRuns = 3;

/**
 * A detector that keeps one stream's state. Frames are 512 samples at 16 kHz. `process` takes a copy at
 * once and runs in the order of the calls; samples that are no number count as silence, since one would
 * stay in the model's memory for ever. Errors: `model-load`, `model-run`, `invalid-argument`.
 */
export function sileroVoiceActivityDetector(options: SileroOptions): VoiceActivityDetector {
  const inOrder = serialQueue();
  let loaded: Loaded | undefined;
  const loading = sharedLoad(async (onProgress, signal) => {
    loaded = await loadSilero(options, onProgress, signal);
  });

  return {
    sampleRate,
    frameSize,
    async load(onProgress, signal) {
      await loading.load(onProgress, signal);
    },
    process(frame) {
      if (frame.length !== frameSize)
        return Promise.reject(
          new AntiphonError('invalid-argument', `a frame of ${frame.length} samples`, {
            hint: `Silero takes frames of ${frameSize} samples at ${sampleRate} Hz.`,
          }),
        );
      const copy = frame.map((sample) => (Number.isFinite(sample) ? sample : 0));
      return inOrder(async () => {
        if (loaded === undefined)
          throw new AntiphonError('model-run', 'the voice activity detector is not loaded', {
            hint: 'Await load() before the first frame, and use no detector that was disposed.',
          });
        return loaded.probability(copy);
      });
    },
    reset() {
      void inOrder(async () => loaded?.reset());
    },
    async dispose() {
      const { pending } = loading;
      loading.forget();
      await pending?.catch(() => undefined);
      await inOrder(async () => {
        await loaded?.release();
        loaded = undefined;
      });
    },
  };
}

interface Loaded {
  probability(frame: Float32Array): Promise<number>;
  reset(): void;
  release(): Promise<void>;
}

async function loadSilero(
  { modelUrl, wasmPaths }: SileroOptions,
  onProgress?: OnProgress,
  signal?: AbortSignal,
): Promise<Loaded> {
  const session = await createSession(modelUrl, {
    ...(wasmPaths === undefined ? {} : { wasmPaths }),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  });
  const state = new ort.Tensor('float32', new Float32Array(2 * 128), [2, 1, 128]);
  const rate = new ort.Tensor('int64', [BigInt(sampleRate)]);
  const frugal = disposingSession(session);
  const silero = new Silero(frugal.session, state, rate, ort);
  const loaded: Loaded = {
    async probability(frame) {
      try {
        return (await silero.process(frame)).isSpeech;
      } finally {
        frugal.disposeOutput();
      }
    },
    reset() {
      frugal.disposeState();
      silero.reset_state();
    },
    async release() {
      await silero.release();
    },
  };
  try {
    for (let run = 0; run < warmUpRuns; run += 1)
      await loaded.probability(new Float32Array(frameSize));
  } catch (error) {
    await loaded.release();
    throw toAntiphonError(error, 'model-load');
  }
  loaded.reset();
  return loaded;
}

/** vad-web's class drops each run's tensors without disposing them: this stands between it and the session. */
function disposingSession(session: ort.InferenceSession): {
  readonly session: ort.InferenceSession;
  disposeOutput(): void;
  disposeState(): void;
} {
  let outputs: ort.InferenceSession.OnnxValueMapType = {};
  const run = async (
    inputs: ort.InferenceSession.OnnxValueMapType,
  ): Promise<ort.InferenceSession.OnnxValueMapType> => {
    outputs = await runSession(session, inputs);
    disposeTensors({ input: inputs['input'], state: inputs['state'] });
    return outputs;
  };
  return {
    session: new Proxy(session, {
      get: (target, key) => (key === 'run' ? run : Reflect.get(target, key, target)),
    }),
    disposeOutput: () => disposeTensors({ output: outputs['output'] }),
    disposeState: () => disposeTensors({ state: outputs['stateN'] }),
  };
}
