/** Transcription that is tried again where that may help. */
import { toAntiphonError } from '../../core/errors.ts';
import { sleep, type Clock } from '../../core/time.ts';
import { type RetryPolicy, nextDelayMs } from '../../providers/http/retry.ts';
import type { Recognition, Recognizer } from '../../speech/stt/recognizer.ts';

/**
 * `recognizer.transcribe(samples)`, again after a retryable error as `policy` allows (3 attempts, 250 ms, at most
 * 2 s unless given), waiting by `clock`. Rejects with the last attempt's error, and with `aborted` when `signal` aborts.
 */
export async function transcribePatiently(
  recognizer: Recognizer,
  samples: Float32Array<ArrayBuffer>,
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Clock },
  policy: RetryPolicy = {},
): Promise<Recognition> {
  const patience = { attempts: 3, baseDelayMs: 250, maxDelayMs: 2000, ...policy };
  for (let attempt = 1; ; attempt++)
    try {
      return await recognizer.transcribe(samples, { signal });
    } catch (thrown) {
      const error = toAntiphonError(thrown, 'model-run');
      const delayMs = signal.aborted ? undefined : nextDelayMs(error, attempt, patience);
      if (delayMs === undefined) throw error;
      await sleep(clock, delayMs, signal);
    }
}
