/** The subpath `antiphon/transformers`: models by `@huggingface/transformers`, an optional peer that must be installed. */
import type { Recognizer } from './recognizer.ts';
import type { TransformersLibrary } from './transformers-library.ts';
import { type TransformersOptions, transformersWith } from './transformers-recognizer.ts';

export type { TransformersOptions } from './transformers-recognizer.ts';
export type { TransformersLibrary } from './transformers-library.ts';

/**
 * Makes a recogniser of a model in a folder or on the hub (Whisper, Moonshine, CTC models). Use it in a worker
 * of your own, with `hostStages`, so that the page stays free.
 * Errors: `unsupported` (the package is not installed), `model-load`, `model-run`, `invalid-argument`, `aborted`.
 *
 * @example
 * const recognizer = transformersRecognizer({ model: 'onnx-community/moonshine-tiny-ONNX', allowRemoteModels: true });
 */
export function transformersRecognizer(options: TransformersOptions): Recognizer {
  return transformersWith(options, installedLibrary);
}

async function installedLibrary(): Promise<TransformersLibrary> {
  return (await import('@huggingface/transformers')) as TransformersLibrary;
}
