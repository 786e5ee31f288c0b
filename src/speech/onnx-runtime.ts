/**
 * The one ONNX Runtime of a realm: the wasm build, one thread, one queue. Everything that runs a model
 * (the voice activity detector, the recogniser) comes through here, so a worker holds one runtime.
 */
import * as ort from 'onnxruntime-web/wasm';
import { AntiphonError, toAntiphonError } from '../core/errors.ts';
import { type AssetSource, type FetchAssetOptions, assetName, fetchAsset } from './fetch-asset.ts';
import { serialQueue } from './serial-queue.ts';

// More threads need cross-origin isolation, gain nothing on models of this size (measured: Silero 0.3 ms
// a frame with one, no less with two), and ORT's thread workers re-run the bundle that contains ORT.
ort.env.wasm.numThreads = 1;
// Warnings about graph clean-up at load are not for the user of a page.
ort.env.logLevel = 'error';

export { ort };

/** Where ORT finds its `.wasm`: a folder with a closing slash, or the files by name. */
export type WasmPaths = NonNullable<typeof ort.env.wasm.wasmPaths>;

/** Settings of the realm's runtime; they count only before its first session. */
export interface OnnxRuntimeOptions {
  /**
   * Where ORT finds its `.wasm`. Leave it out with a bundler (Vite, webpack, Next), which finds the file itself.
   */
  readonly wasmPaths?: WasmPaths;
}

/** How to make a session. */
export interface SessionOptions extends FetchAssetOptions, OnnxRuntimeOptions {
  /** ORT's own options, over the defaults `executionProviders: ['wasm']` and full graph optimisation. */
  readonly session?: ort.InferenceSession.SessionOptions;
}

/**
 * Runs a task after all earlier ones of this realm have settled. ORT's wasm is one machine: two runs that
 * overlap race, and two first sessions made at once fail.
 */
export const runSerially: <T>(task: () => Promise<T>) => Promise<T> = serialQueue();

/** Applies settings to the realm's runtime. */
export function configureOnnxRuntime(options: OnnxRuntimeOptions): void {
  if (options.wasmPaths !== undefined) ort.env.wasm.wasmPaths = options.wasmPaths;
}

/**
 * Fetches a model and makes a session of it; the caller owns the session and releases it.
 * Errors: `model-load` (unreachable, not a model, wasm missing), `aborted`.
 */
export async function createSession(
  source: AssetSource,
  options: SessionOptions = {},
): Promise<ort.InferenceSession> {
  configureOnnxRuntime(options);
  const bytes = await fetchAsset(source, options);
  const session = await runSerially(() => {
    options.signal?.throwIfAborted();
    return ort.InferenceSession.create(bytes, {
      executionProviders: ['wasm'],
      graphOptimizationLevel: 'all',
      ...options.session,
    });
  }).catch((error: unknown) => {
    throw sessionError(error, options.name ?? assetName(source), options.signal);
  });
  if (options.signal?.aborted === true) {
    await session.release();
    throw toAntiphonError(options.signal.reason, 'aborted');
  }
  return session;
}

/**
 * One serialised run. The inputs stay the caller's, the outputs become the caller's: dispose both.
 * Errors: `model-run`.
 */
export async function runSession(
  session: ort.InferenceSession,
  inputs: ort.InferenceSession.OnnxValueMapType,
): Promise<ort.InferenceSession.OnnxValueMapType> {
  try {
    return await runSerially(() => session.run(inputs));
  } catch (error) {
    throw toAntiphonError(error, 'model-run', {
      hint: 'The model does not take these inputs, or its memory is gone; load it again.',
    });
  }
}

/** Frees tensors; what is not one, or was freed before, is passed over. */
export function disposeTensors(
  ...groups: readonly (ort.Tensor | Readonly<Record<string, unknown>> | undefined)[]
): void {
  for (const group of groups) {
    if (group === undefined) continue;
    const values = group instanceof ort.Tensor ? [group] : Object.values(group);
    for (const value of values) if (value instanceof ort.Tensor) value.dispose();
  }
}

function sessionError(
  error: unknown,
  name: string,
  signal: AbortSignal | undefined,
): AntiphonError {
  if (signal?.aborted === true) return toAntiphonError(signal.reason, 'aborted');
  const message = error instanceof Error ? error.message : String(error);
  const runtimeMissing = /no available backend|wasm.*(fetch|load|instantiat)|initWasm/i.test(
    message,
  );
  return new AntiphonError('model-load', `${name}: ${message}`, {
    hint: runtimeMissing
      ? 'The browser could not load ort-wasm-simd-threaded.wasm: serve it and pass its folder as `wasmPaths`.'
      : 'The file is not an ONNX model this runtime can read; check that the address serves the model itself.',
    cause: error,
  });
}
