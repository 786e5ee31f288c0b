/** The embedded speech-to-text engine: a CTC model in Hugging Face layout on ONNX Runtime's wasm. */
import { AntiphonError, toAntiphonError } from '../../core/errors.ts';
import { serialQueue } from '../serial-queue.ts';
import { sharedLoad } from '../shared-load.ts';
import type { WasmPaths } from '../onnx-runtime.ts';
import { type DecoderOptions, ctcDecoder } from './ctc-decoder.ts';
import { type CtcModel, type CtcModelFiles, loadCtcModel } from './ctc-model.ts';
import { ctcStream } from './ctc-stream.ts';
import { joinRecognitions, nothingHeard, spokenWords } from './ctc/spoken-words.ts';
import { checkSpeech, cutAtPauses, isAudible, speechSampleRate } from './speech-samples.ts';
import type { OnProgress, Recognition, Recognizer, TranscribeOptions } from './recognizer.ts';

/** What {@link ctcRecognizer} needs. */
export interface CtcRecognizerOptions {
  /** The model's folder, or its files one by one (addresses or bytes). */
  readonly model: string | URL | CtcModelFiles;
  /** Where ORT finds its `.wasm`; leave it out with a bundler. */
  readonly wasmPaths?: WasmPaths;
  /** How to decode; by default a beam search with the model's word list. */
  readonly decoder?: Omit<DecoderOptions, 'languageModel'>;
  /** Below this confidence what was heard counts as noise: empty text. 0…1, 0.35 unless given. */
  readonly minConfidence?: number;
}

/**
 * Makes a recogniser for mono 16 kHz audio; nothing is loaded before `load` (or the first use).
 * Errors of its methods: `model-load`, `model-run`, `invalid-argument`, `aborted`.
 *
 * @example
 * const recognizer = ctcRecognizer({ model: '/models/antiphon-ctc-en' });
 * await recognizer.load();
 * const { text, words } = await recognizer.transcribe(samples);
 */
export function ctcRecognizer(options: CtcRecognizerOptions): Recognizer {
  const oneByOne = serialQueue();
  const minConfidence = options.minConfidence ?? 0.35;
  const loading = sharedLoad((onProgress, signal) => loadWarm(options, onProgress, signal));
  let disposed = false;

  const load = async (onProgress?: OnProgress, signal?: AbortSignal): Promise<CtcModel> => {
    if (disposed) throw disposedError();
    return loading.load(onProgress, signal);
  };

  const credible = (heard: Recognition): Recognition =>
    heard.confidence < minConfidence ? { ...nothingHeard, confidence: heard.confidence } : heard;

  const transcribe = async (
    samples: Float32Array<ArrayBuffer>,
    { signal, onPartial }: TranscribeOptions,
  ): Promise<Recognition> => {
    const ctc = await load(undefined, signal);
    const decoder = ctcDecoder(ctc.alphabet, decoderOptions(ctc, options));
    const frameMs = (ctc.hop * 1000) / speechSampleRate;
    const heard: Recognition[] = [];
    for (const { start, end } of cutAtPauses(samples)) {
      throwIfAborted(signal);
      const piece = samples.slice(start, end);
      if (!isAudible(piece)) continue;
      const logPosteriors = await ctc.run(piece);
      decoder.reset();
      decoder.push(logPosteriors);
      const timing = {
        frameMs,
        startMs: (start * 1000) / speechSampleRate,
        endMs: (end * 1000) / speechSampleRate,
      };
      heard.push(credible(spokenWords(ctc.alphabet, logPosteriors, decoder.best(), timing)));
      if (end < samples.length) onPartial?.(joinRecognitions(heard));
    }
    throwIfAborted(signal);
    return joinRecognitions(heard);
  };

  return {
    sampleRate: speechSampleRate,
    async load(onProgress, signal) {
      await load(onProgress, signal);
    },
    async transcribe(samples, callOptions = {}) {
      checkSpeech(samples);
      return oneByOne(() => {
        throwIfAborted(callOptions.signal);
        return transcribe(samples, callOptions);
      });
    },
    stream: () =>
      ctcStream({
        async open(signal) {
          const ctc = await load(undefined, signal);
          return { ctc, decoder: ctcDecoder(ctc.alphabet, decoderOptions(ctc, options)) };
        },
        oneByOne,
        credible,
      }),
    async dispose() {
      if (disposed) return;
      disposed = true;
      const model = await loading.pending?.catch(() => undefined);
      await oneByOne(async () => model?.release());
    },
  };
}

/** The first run of a session is ten times slower than the next; it is paid here, on a second of silence. */
async function loadWarm(
  options: CtcRecognizerOptions,
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<CtcModel> {
  const model = await loadCtcModel(options.model, {
    ...(options.wasmPaths === undefined ? {} : { wasmPaths: options.wasmPaths }),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    await model.run(new Float32Array(speechSampleRate));
    throwIfAborted(signal);
    return model;
  } catch (error) {
    await model.release();
    throw toAntiphonError(error, 'model-load');
  }
}

function decoderOptions(model: CtcModel, options: CtcRecognizerOptions): DecoderOptions {
  const { languageModel } = model;
  return { ...options.decoder, ...(languageModel === undefined ? {} : { languageModel }) };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw toAntiphonError(signal.reason, 'aborted');
}

function disposedError(): AntiphonError {
  return new AntiphonError('invalid-argument', 'The recogniser was disposed.', {
    hint: 'Make a new one.',
  });
}
