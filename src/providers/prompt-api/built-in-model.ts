/** The part of Chrome's Prompt API that we use, and what its exceptions mean. */
import { AntiphonError, type ErrorCode } from '../../core/errors.ts';

/** Whether a model can be used now, after a download, or never on this device. */
export type ModelAvailability = 'unavailable' | 'downloadable' | 'downloading' | 'available';

/** A piece of a prompt. */
export interface PromptContent {
  readonly type: 'text' | 'image' | 'audio';
  readonly value: string | Blob | BufferSource;
}

/** A message of a prompt; `system` only as the first of a session's past. */
export interface PromptMessage<Role extends string = 'user' | 'assistant'> {
  readonly role: Role;
  readonly content: string | PromptContent[];
}

/** One conversation with the model. */
export interface BuiltInSession {
  promptStreaming(
    input: PromptMessage[],
    options: { readonly signal: AbortSignal },
  ): ReadableStream<string>;
  destroy(): void;
}

/** Where the browser tells of a download. */
export interface DownloadMonitor {
  addEventListener(
    type: 'downloadprogress',
    listener: (event: { readonly loaded: number }) => void,
  ): void;
}

/** The browser's `LanguageModel` (https://github.com/webmachinelearning/prompt-api). */
export interface BuiltInModel {
  availability(options: Readonly<Record<string, unknown>>): Promise<ModelAvailability>;
  create(
    options: Readonly<Record<string, unknown>> & {
      readonly signal: AbortSignal;
      readonly monitor: (target: DownloadMonitor) => void;
    },
  ): Promise<BuiltInSession>;
}

/** The given model, or the browser's own. Errors: `unsupported` where there is none. */
export function builtInModel(given: BuiltInModel | undefined): BuiltInModel {
  const own = (globalThis as { readonly LanguageModel?: BuiltInModel }).LanguageModel;
  const model = given ?? own;
  if (model) return model;
  throw new AntiphonError('unsupported', 'This browser has no built-in language model.', {
    hint: 'Use Chrome 148 or later, on a secure page and not in a worker, or another provider.',
  });
}

const meanings: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  NotAllowedError: [
    'model-load',
    'Call `load()` in a click: the browser downloads its model only after a gesture.',
  ],
  NotSupportedError: [
    'unsupported',
    'The model does not take this language or this kind of input.',
  ],
  NetworkError: ['model-load', 'The download of the model failed; try again.'],
  QuotaExceededError: ['context-length', 'Keep fewer messages: the window of this model is small.'],
  NotReadableError: ['content-filter', 'The browser held the answer back; say it differently.'],
};

/** The typed error of what the API threw. */
export function promptError(thrown: unknown): AntiphonError {
  if (AntiphonError.is(thrown)) return thrown;
  const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown));
  const [code, hint] = meanings[name] ?? ['model-run', 'Try again, or use another provider.'];
  return new AntiphonError(code, `The built-in model failed: ${message}`, {
    hint,
    retryable: name === 'NetworkError' || meanings[name] === undefined,
    details: { exception: name },
    cause: thrown,
  });
}
