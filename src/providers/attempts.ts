/** Trying again before the first part of a reply, never after: nothing may be said twice. */
import { abortedError } from '../core/errors.ts';
import { sleep, wallClock } from '../core/time.ts';
import { nextDelayMs, type RetryPolicy } from './http/retry.ts';
import type { ProviderPart } from './provider.ts';

/**
 * The parts of the first attempt that says something. No part comes out after the abort.
 *
 * @throws `aborted`, or the error of an attempt that had begun, is not worth repeating or was the last
 */
export async function* withAttempts(
  attempt: () => AsyncIterable<ProviderPart>,
  policy: RetryPolicy,
  signal: AbortSignal,
): AsyncGenerator<ProviderPart, void, undefined> {
  for (let attempts = 1; ; attempts += 1) {
    let begun = false;
    try {
      if (signal.aborted) throw abortedError();
      for await (const part of attempt()) {
        // One event may hold several parts.
        if (signal.aborted) throw abortedError();
        begun = true;
        yield part;
      }
      return;
    } catch (error) {
      const delayMs = begun ? undefined : nextDelayMs(error, attempts, policy);
      if (delayMs === undefined) throw error;
      await sleep(wallClock, delayMs, signal);
    }
  }
}
