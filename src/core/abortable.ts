/** Waiting that an abort ends, even when what is waited for never settles. */

/**
 * Settles as `promise` does, or rejects with the signal's reason when it aborts first; then `promise` has
 * `graceMs` more to settle by itself.
 */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  graceMs: number = 0,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const abort = (): void => {
      if (graceMs === 0) reject(signal.reason);
      else timer = setTimeout(() => reject(signal.reason), graceMs);
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    });
  });
}
