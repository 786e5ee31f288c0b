/** Calls back by a clock that a test may hold in its hands. */
import { sleep, type Clock } from '../core/time.ts';

/** `setTimeout` keeps its delay in 31 bits; more would fire at once. */
const longestMs = 2 ** 31 - 1;

/** Calls `action` once in `ms`, unless the returned function is called first. `Infinity`: never. */
export function after(clock: Clock, ms: number, action: () => void): () => void {
  if (ms > longestMs) return () => {};
  const cancelled = new AbortController();
  sleep(clock, ms, cancelled.signal).then(
    () => {
      if (!cancelled.signal.aborted) action();
    },
    () => {},
  );
  return () => cancelled.abort();
}
