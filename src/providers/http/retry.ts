/** Trying again: exponential backoff with full jitter, the server's own wish honoured. */
import { AntiphonError } from '../../core/errors.ts';

/** How often and how patiently to try again before the first token. */
export interface RetryPolicy {
  /** Attempts in all; 1 means never again. Default 3. */
  readonly attempts?: number;
  /** Ceiling of the first wait in ms; doubles with each further one. Default 400. */
  readonly baseDelayMs?: number;
  /** Longest wait in ms, also the longest `Retry-After` obeyed: beyond it the error is thrown at once. Default 8000. */
  readonly maxDelayMs?: number;
  /** Chance, in [0, 1), that spreads the waits; `Math.random` unless given. A function: such a policy can't be posted to a worker. */
  readonly random?: () => number;
}

/**
 * Milliseconds to wait before the next attempt after `error`, or undefined when there should be none.
 * `attempt` counts those already made. The jitter is "full jitter" (Brooker, AWS Architecture
 * Blog, 2015).
 */
export function nextDelayMs(
  error: unknown,
  attempt: number,
  policy: RetryPolicy,
): number | undefined {
  const { attempts = 3, baseDelayMs = 400, maxDelayMs = 8000, random = Math.random } = policy;
  if (!AntiphonError.is(error) || !error.retryable || attempt >= attempts) return undefined;
  const wished = error.details?.['retryAfterMs'];
  if (typeof wished === 'number') return wished <= maxDelayMs ? wished : undefined;
  return random() * Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1));
}
