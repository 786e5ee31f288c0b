/** The one error class: a stable code, a hint that says what to do, recognisable across realms. */

/** Stable codes; a `switch` over them is safe between minor versions. */
export type ErrorCode =
  // the device edge
  | 'microphone-denied'
  | 'microphone-missing'
  | 'microphone-busy'
  | 'microphone-ended'
  | 'insecure-context'
  | 'audio-context'
  | 'audio-format'
  // assets
  | 'asset-load'
  | 'worker-load'
  | 'worker-crashed'
  | 'worklet-load'
  | 'model-load'
  | 'model-run'
  // pipelines
  | 'graph'
  | 'stage'
  | 'channel-closed'
  | 'channel-overflow'
  | 'idle-timeout'
  | 'execution-timeout'
  | 'shutdown'
  | 'shutdown-timeout'
  // providers
  | 'provider-auth'
  | 'provider-rate-limit'
  | 'provider-overloaded'
  | 'provider-network'
  | 'provider-protocol'
  | 'provider-request'
  | 'provider-timeout'
  | 'context-length'
  | 'content-filter'
  | 'tool'
  | 'template'
  // state
  | 'storage-blocked'
  | 'storage-full'
  | 'storage'
  // tests
  | 'expectation'
  // use
  | 'invalid-argument'
  | 'unsupported'
  | 'aborted'
  | 'unknown';

/** An error as plain data: survives structured clone, and is what an `error` element carries. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  /** One sentence that says what the reader can do about it. */
  readonly hint: string;
  /** Whether the same thing may succeed when tried again. */
  readonly retryable: boolean;
  /** The stage it happened in. */
  readonly stage?: string;
  /** Facts: status codes, URLs, milliseconds; never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: ErrorData;
  readonly stack?: string;
}

/** What may be told about an error besides code, message and hint. */
export interface ErrorOptions {
  readonly hint?: string;
  readonly retryable?: boolean;
  readonly stage?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * Every failure that leaves Antiphon. Recognise it by {@link AntiphonError.is}, not by `instanceof`:
 * two copies of a package, or an error that crossed a thread, would defeat that.
 */
export class AntiphonError extends Error {
  override readonly name: string = 'AntiphonError';
  readonly code: ErrorCode;
  readonly hint: string;
  readonly retryable: boolean;
  readonly stage: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? '';
    this.retryable = options.retryable ?? false;
    this.stage = options.stage;
    this.details = options.details;
  }

  /** True for an AntiphonError of any copy of the package, optionally of one code. */
  static is(value: unknown, code?: ErrorCode): value is AntiphonError {
    return (
      value instanceof Error &&
      value.name === 'AntiphonError' &&
      'code' in value &&
      (code === undefined || value.code === code)
    );
  }
}

/** The error of work that the caller cancelled. */
export function abortedError(): AntiphonError {
  return new AntiphonError('aborted', 'The caller cancelled it.', {
    hint: 'Nothing to do: the caller asked for it.',
  });
}

/** Any thrown value as an {@link AntiphonError}; one that is already is returned as it is. */
export function toAntiphonError(
  value: unknown,
  code: ErrorCode = 'unknown',
  options: ErrorOptions = {},
): AntiphonError {
  if (AntiphonError.is(value)) return value;
  if (value instanceof Error && value.name === 'AbortError')
    return new AntiphonError('aborted', value.message, { ...options, cause: value });
  const message = value instanceof Error ? value.message : String(value);
  return new AntiphonError(code, message, { cause: value, ...options });
}

/** Causes deeper than this are left out; an error may even be its own cause. */
const deepestCause = 8;

/** The error as plain data, to cross a thread or to sit in an `error` element. */
export function serializeError(value: unknown): ErrorData {
  return serialize(value, deepestCause);
}

function serialize(value: unknown, depth: number): ErrorData {
  const error = toAntiphonError(value);
  // A foreign error has just become the cause of its own wrapper.
  const cause = error === value || !(value instanceof Error) ? error.cause : value.cause;
  const stack = value instanceof Error ? value.stack : undefined;
  return {
    code: error.code,
    message: error.message,
    hint: error.hint,
    retryable: error.retryable,
    ...(error.stage === undefined ? {} : { stage: error.stage }),
    ...(error.details === undefined ? {} : { details: plain(error.details) }),
    ...(cause === undefined || cause === value || depth === 0
      ? {}
      : { cause: serialize(cause, depth - 1) }),
    ...(stack === undefined ? {} : { stack }),
  };
}

// A worklet has none.
declare const structuredClone: ((value: unknown) => unknown) | undefined;

/** `details` without what structured clone refuses: of that only its type is told. */
function plain(details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const cloneable = (value: unknown): unknown => {
    try {
      if (typeof structuredClone === 'function') structuredClone(value);
      return value;
    } catch {
      return `[${typeof value}]`;
    }
  };
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => [name, cloneable(value)]),
  );
}

/** The inverse of {@link serializeError}; the stack is the one of the thread it happened in. */
export function deserializeError(data: ErrorData): AntiphonError {
  const error = new AntiphonError(data.code, data.message, {
    hint: data.hint,
    retryable: data.retryable,
    ...(data.stage === undefined ? {} : { stage: data.stage }),
    ...(data.details === undefined ? {} : { details: data.details }),
    ...(data.cause === undefined ? {} : { cause: deserializeError(data.cause) }),
  });
  if (data.stack !== undefined) error.stack = data.stack;
  return error;
}
