/** Conversions between samples and milliseconds, and the clock a stage sees. */
import { abortable } from './abortable.ts';
import { abortedError } from './errors.ts';

/** A source of milliseconds; `now()` never goes back. */
export interface Clock {
  /** Milliseconds since an arbitrary origin, monotonic. */
  now(): number;
  /**
   * Resolves `ms` later by this clock; rejects with `aborted` as soon as `signal` aborts. The realm's timers
   * unless given, which is right for every clock that goes at the pace of the world. Call it by {@link sleep}.
   */
  sleep?(ms: number, signal: AbortSignal): Promise<void>;
}

/** The realm's own clock, `performance.now()` on the shared time origin of page and workers. */
export const wallClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
};

/** Waits `ms` by `clock`; rejects with `aborted` as soon as `signal` aborts. What a stage waits with, so that tests need not wait. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (clock.sleep) return clock.sleep(ms, signal);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waking = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return abortable(waking, signal, 0, abortedError).finally(() => clearTimeout(timer));
}

/** Milliseconds that `samples` take at `sampleRate` hertz. */
export function samplesToMs(samples: number, sampleRate: number): number {
  return (samples * 1000) / sampleRate;
}

/** Whole samples nearest to `ms` at `sampleRate` hertz. */
export function msToSamples(ms: number, sampleRate: number): number {
  return Math.round((ms * sampleRate) / 1000);
}
