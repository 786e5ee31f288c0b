/** Waiting that an abort or time ends, even when what is waited for never settles. */

/**
 * Settles as `promise` does, or rejects with `reason()` (the signal's unless given) when it aborts first; then
 * `promise` has `graceMs` more to settle by itself.
 */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  graceMs: number = 0,
  reason: () => unknown = () => signal.reason,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const abort = (): void => {
      if (graceMs === 0) reject(reason());
      else timer = setTimeout(() => reject(reason()), graceMs);
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    });
  });
}

/** True when `work` settles within `ms` by the realm's timers; rejects as it does. */
export function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  return Promise.race([work.then(() => true), late]).finally(() => clearTimeout(timer));
}
