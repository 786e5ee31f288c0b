/** Any speech-to-text model that `@huggingface/transformers` can run: Whisper, Moonshine, CTC models. */
import { AntiphonError, toAntiphonError } from '../../core/errors.ts';
import { serialQueue } from '../serial-queue.ts';
import { sharedLoad } from '../shared-load.ts';
import { nothingHeard } from './ctc/spoken-words.ts';
import type { OnProgress, Recognition, Recognizer } from './recognizer.ts';
import { checkSpeech, isAudible, speechSampleRate } from './speech-samples.ts';
import type {
  TransformersLibrary,
  TransformersProgress,
  TransformersTranscriber,
  TransformersTranscription,
} from './transformers-library.ts';

/** What {@link transformersWith} needs; nothing but the model is required. */
export interface TransformersOptions {
  /** The model's name: `owner/name` of the hub, or a folder inside `localModelPath`. */
  readonly model: string;
  /** `wasm` unless given. */
  readonly device?: 'wasm' | 'webgpu';
  /** Which file of the model: `q8` (`model_quantized.onnx`) unless given; or one for each of its parts. */
  readonly dtype?: string | Readonly<Record<string, string>>;
  /** Where the library finds ONNX Runtime's files. Absent: the bundler's asset; never a foreign server by itself. */
  readonly wasmPaths?: string | Readonly<Record<string, string>>;
  /** The folder local models are in, `/models/` unless given. */
  readonly localModelPath?: string;
  /** Allows downloads from the hub, which are cached by the browser; false unless given. */
  readonly allowRemoteModels?: boolean;
  /** A language name or code, for models of several. */
  readonly language?: string;
  /** Asks for times of words, which needs a model exported for it (Whisper `…_timestamped`). False unless given. */
  readonly wordTimes?: boolean;
}

/**
 * Makes a recogniser of a model run by the given library, which is loaded with it. Gives no interims; words
 * only with `wordTimes`; text counts as certain (1), since the library tells no confidence.
 * Errors: `unsupported` (the library can't be loaded), `model-load`, `model-run`, `invalid-argument`, `aborted`.
 */
export function transformersWith(
  options: TransformersOptions,
  library: () => Promise<TransformersLibrary>,
): Recognizer {
  const oneByOne = serialQueue();
  const loading = sharedLoad((onProgress, signal) => open(options, library, onProgress, signal));
  let disposed = false;
  const load = async (
    onProgress?: OnProgress,
    signal?: AbortSignal,
  ): Promise<TransformersTranscriber> => {
    if (disposed)
      throw new AntiphonError('invalid-argument', 'The recogniser was disposed.', {
        hint: 'Make a new one.',
      });
    return loading.load(onProgress, signal);
  };
  return {
    sampleRate: speechSampleRate,
    async load(onProgress, signal) {
      await load(onProgress, signal);
    },
    async transcribe(samples, { signal } = {}) {
      checkSpeech(samples);
      return oneByOne(async () => {
        throwIfAborted(signal);
        if (!isAudible(samples)) return nothingHeard;
        const transcriber = await load(undefined, signal);
        const heard = await run(transcriber, samples, options);
        throwIfAborted(signal);
        return heard;
      });
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      const transcriber = await loading.pending?.catch(() => undefined);
      await oneByOne(async () => transcriber?.dispose());
    },
  };
}

async function open(
  options: TransformersOptions,
  library: () => Promise<TransformersLibrary>,
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<TransformersTranscriber> {
  throwIfAborted(signal);
  const { env, pipeline } = await library().catch((error: unknown) => {
    throw new AntiphonError('unsupported', '@huggingface/transformers could not be loaded.', {
      hint: 'Install it (it is an optional peer dependency) or pass the address of its ES module.',
      cause: error,
    });
  });
  const { allowRemoteModels = false, localModelPath = '/models/' } = options;
  env.allowRemoteModels = allowRemoteModels;
  env.allowLocalModels = true;
  env.localModelPath = localModelPath;
  // The library's default is a public CDN; undefined lets ONNX Runtime look beside its own code.
  if (env.backends.onnx.wasm !== undefined) {
    env.backends.onnx.wasm.wasmPaths = options.wasmPaths;
    env.backends.onnx.wasm.numThreads = 1;
  }
  try {
    const transcriber = await pipeline('automatic-speech-recognition', options.model, {
      device: options.device ?? 'wasm',
      dtype: options.dtype ?? 'q8',
      progress_callback: (progress) => report(progress, onProgress),
    });
    if (signal?.aborted === true) await transcriber.dispose();
    throwIfAborted(signal);
    return transcriber;
  } catch (error) {
    throwIfAborted(signal);
    throw toAntiphonError(error, 'model-load', {
      hint: allowRemoteModels
        ? `Check the model's name and the network; "${options.model}" was looked for in ${localModelPath} and on the hub.`
        : `Put the model's files in ${localModelPath}${options.model}/, or set \`allowRemoteModels\`.`,
    });
  }
}

function report(progress: TransformersProgress, onProgress: OnProgress | undefined): void {
  const { status, file = '', loaded = 0, total = 0 } = progress;
  if (status === 'progress') onProgress?.({ asset: file, loaded, total });
}

async function run(
  transcriber: TransformersTranscriber,
  samples: Float32Array,
  { language, wordTimes = false }: TransformersOptions,
): Promise<Recognition> {
  try {
    const answer = await transcriber(samples, {
      ...(language === undefined ? {} : { language }),
      ...(wordTimes ? { return_timestamps: 'word' as const } : {}),
      ...(samples.length > 30 * speechSampleRate ? { chunk_length_s: 30 } : {}),
    });
    return recognitionOf(Array.isArray(answer) ? answer[0] : answer);
  } catch (error) {
    throw toAntiphonError(error, 'model-run', {
      hint: 'The model does not take this audio, or its memory is gone; load it again.',
    });
  }
}

function recognitionOf(answer: TransformersTranscription | undefined): Recognition {
  const text = answer?.text.trim() ?? '';
  if (text === '') return nothingHeard;
  const words = (answer?.chunks ?? []).map(({ text: word, timestamp: [start, end] }) => ({
    text: word.trim(),
    start: start * 1000,
    end: (end ?? start) * 1000,
  }));
  return { text, words, confidence: 1 };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw toAntiphonError(signal.reason, 'aborted');
}
