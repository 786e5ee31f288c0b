/** The engines of the scribe worker, chosen by plain data: what a page can post to a worker. */
import { AntiphonError } from '../../core/errors.ts';
import { type CtcRecognizerOptions, ctcRecognizer } from './ctc-recognizer.ts';
import type { Recognizer } from './recognizer.ts';
import { type RemoteRecognizerOptions, remoteRecognizer } from './remote-recognizer.ts';
import type { TransformersLibrary } from './transformers-library.ts';
import { type TransformersOptions, transformersWith } from './transformers-recognizer.ts';

/** The embedded engine; addresses are absolute, since a worker has a base of its own. */
export interface CtcEngineOptions extends Omit<CtcRecognizerOptions, 'model'> {
  readonly engine: 'ctc';
  /** The model's folder, or the addresses of its files. */
  readonly model:
    | string
    | {
        readonly config: string;
        readonly vocabulary: string;
        readonly model: string;
        readonly languageModel?: string;
      };
}

/** Models by `@huggingface/transformers`. */
export interface TransformersEngineOptions extends TransformersOptions {
  readonly engine: 'transformers';
  /** Address of the library's ES module for browsers (`transformers.web.min.js`), self-hosted. */
  readonly library: string;
}

/** An OpenAI-compatible server. */
export interface RemoteEngineOptions extends Omit<RemoteRecognizerOptions, 'fetch' | 'token'> {
  readonly engine: 'remote';
  readonly token?: string;
}

/** An engine and its options: plain data that survives structured clone. */
export type EngineOptions = CtcEngineOptions | TransformersEngineOptions | RemoteEngineOptions;

/** Makes a factory of engines: those whose options are the same are one and the same, loaded once. */
export function engineCache(): (options: EngineOptions) => Recognizer {
  const known = new Map<string, Recognizer>();
  return (options) => {
    const key = JSON.stringify(options);
    const recognizer = known.get(key) ?? makeEngine(options);
    known.set(key, recognizer);
    return recognizer;
  };
}

function makeEngine(options: EngineOptions): Recognizer {
  switch (options.engine) {
    case 'ctc':
      return ctcRecognizer(options);
    case 'remote':
      return remoteRecognizer(options);
    case 'transformers': {
      const { library } = options;
      return transformersWith(
        options,
        async () =>
          (await import(
            /* @vite-ignore */ /* webpackIgnore: true */ library
          )) as TransformersLibrary,
      );
    }
    default:
      throw new AntiphonError('invalid-argument', 'The scribe worker does not know this engine.', {
        hint: 'Choose `ctc`, `transformers` or `remote`, or host a recogniser of your own with `hostStages`.',
      });
  }
}
