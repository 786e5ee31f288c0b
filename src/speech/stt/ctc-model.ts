/** The files of a CTC speech model in Hugging Face's wav2vec2 layout, and the session that runs them. */
import { AntiphonError } from '../../core/errors.ts';
import { type AssetSource, type FetchAssetOptions, assetName, fetchAsset } from '../fetch-asset.ts';
import { gunzip } from '../gunzip.ts';
import { createSession, disposeTensors, ort, runSession, type WasmPaths } from '../onnx-runtime.ts';
import { type CtcAlphabet, readAlphabet } from './ctc/alphabet.ts';
import type { LanguageModel } from './ctc/language-model.ts';
import { logSoftmax } from './ctc/log-softmax.ts';
import { readWordModel } from './ctc/word-model.ts';

/** Where the files of a model are, one by one: what a bundler that renames files needs. */
export interface CtcModelFiles {
  /** `config.json`. */
  readonly config: AssetSource;
  /** `vocab.json`. */
  readonly vocabulary: AssetSource;
  /** The ONNX graph: `input_values` [1, samples] in, `logits` [1, frames, symbols] out. */
  readonly model: AssetSource;
  /** The words and n-grams, packed or not; absent: spelling by sound alone. */
  readonly languageModel?: AssetSource;
}

/** The files of a model by the folder they are in, as Hugging Face lays them out. */
export function ctcModelFolder(folder: string | URL): CtcModelFiles {
  const base = String(folder).replace(/\/*$/, '/');
  return {
    config: `${base}config.json`,
    vocabulary: `${base}vocab.json`,
    model: `${base}onnx/model_quantized.onnx`,
  };
}

/** A CTC model that is ready to run. */
export interface CtcModel {
  readonly alphabet: CtcAlphabet;
  readonly languageModel: LanguageModel | undefined;
  /** Samples from one frame to the next. */
  readonly hop: number;
  /** Log posteriors of mono 16 kHz samples, rows of as many values as the alphabet has symbols. */
  run(samples: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>>;
  /** Frees the session. */
  release(): Promise<void>;
}

/** How to load a model. */
export interface LoadCtcModelOptions extends FetchAssetOptions {
  /** Where ORT finds its `.wasm`; leave it out with a bundler. */
  readonly wasmPaths?: WasmPaths;
}

/** What of `config.json` matters here. */
interface CtcConfig {
  readonly hop: number;
  readonly blank: string | number | undefined;
  readonly languageModel: string | undefined;
}

/**
 * Fetches the files and makes a session; the caller releases it.
 * Errors: `model-load`, `aborted`.
 */
export async function loadCtcModel(
  source: string | URL | CtcModelFiles,
  options: LoadCtcModelOptions = {},
): Promise<CtcModel> {
  const inFolder = typeof source === 'string' || source instanceof URL;
  const files = inFolder ? ctcModelFolder(source) : source;
  const [configJson, vocabularyJson] = await Promise.all([
    fetchJson(files.config, options),
    fetchJson(files.vocabulary, options),
  ]);
  const config = readConfig(configJson);
  const words =
    files.languageModel ??
    (inFolder && config.languageModel !== undefined
      ? `${String(source).replace(/\/*$/, '/')}${config.languageModel}`
      : undefined);
  const alphabet = readAlphabet(vocabularyJson, blankToken(config.blank, vocabularyJson));
  const languageModel =
    words === undefined
      ? undefined
      : readWordModel(await gunzip(await fetchAsset(words, options), assetName(words)), alphabet);
  const session = await createSession(files.model, {
    ...options,
    // Every utterance has another length: a memory plan per length would never be reused, only kept.
    session: { enableMemPattern: false },
  });
  const input = session.inputNames[0] ?? 'input_values';
  const output = session.outputNames[0] ?? 'logits';
  const columns = alphabet.symbols.length;
  return {
    alphabet,
    languageModel,
    hop: config.hop,
    async run(samples) {
      const tensor = new ort.Tensor('float32', samples, [1, samples.length]);
      try {
        const results = await runSession(session, { [input]: tensor });
        try {
          return readLogits(results[output], columns);
        } finally {
          disposeTensors(results);
        }
      } finally {
        disposeTensors(tensor);
      }
    },
    release: () => session.release(),
  };
}

function readLogits(logits: ort.OnnxValue | undefined, columns: number): Float32Array<ArrayBuffer> {
  if (!(logits instanceof ort.Tensor) || !(logits.data instanceof Float32Array))
    throw shapeError('it gives no float32 logits');
  if (logits.dims.length !== 3 || logits.dims[2] !== columns)
    throw shapeError(`its logits are [${logits.dims.join(', ')}], the vocabulary has ${columns}`);
  return logSoftmax(logits.data, columns);
}

function shapeError(what: string): AntiphonError {
  return new AntiphonError('model-run', `The model does not fit its vocabulary: ${what}`, {
    hint: 'Take the ONNX file and the vocab.json of one model.',
  });
}

async function fetchJson(source: AssetSource, options: FetchAssetOptions): Promise<unknown> {
  const bytes = await fetchAsset(source, options);
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch (error) {
    throw new AntiphonError('model-load', `${assetName(source)} is not JSON`, {
      hint: 'Check that the address serves the model file itself and not a page.',
      cause: error,
    });
  }
}

function readConfig(config: unknown): CtcConfig {
  const facts = new Map(
    typeof config === 'object' && config !== null ? Object.entries(config) : [],
  );
  const ratio: unknown = facts.get('inputs_to_logits_ratio');
  const strides: unknown = facts.get('conv_stride');
  const hop = Array.isArray(strides)
    ? strides.reduce<number>((product, stride) => product * Number(stride), 1)
    : Number(ratio);
  if (!Number.isInteger(hop) || hop <= 0)
    throw new AntiphonError('model-load', 'config.json does not say how many samples a frame is', {
      hint: 'It needs `conv_stride` (wav2vec2) or `inputs_to_logits_ratio`.',
    });
  const blank: unknown = facts.get('pad_token_id');
  const languageModel: unknown = facts.get('language_model');
  return {
    hop,
    blank: typeof blank === 'number' ? blank : undefined,
    languageModel: typeof languageModel === 'string' ? languageModel : undefined,
  };
}

function blankToken(
  blank: string | number | undefined,
  vocabulary: unknown,
): { readonly blank?: string } {
  if (typeof blank !== 'number' || typeof vocabulary !== 'object' || vocabulary === null) return {};
  const entry = Object.entries(vocabulary).find(([, column]) => column === blank);
  return entry === undefined ? {} : { blank: entry[0] };
}
