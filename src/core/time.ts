/** Conversions between samples and milliseconds, and the clock a stage sees. */

/** A source of milliseconds; `now()` never goes back. */
export interface Clock {
  /** Milliseconds since an arbitrary origin, monotonic. */
  now(): number;
}

/** The realm's own clock, `performance.now()` on the shared time origin of page and workers. */
export const wallClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
};

/** Milliseconds that `samples` take at `sampleRate` hertz. */
export function samplesToMs(samples: number, sampleRate: number): number {
  return (samples * 1000) / sampleRate;
}

/** Whole samples nearest to `ms` at `sampleRate` hertz. */
export function msToSamples(ms: number, sampleRate: number): number {
  return Math.round((ms * sampleRate) / 1000);
}
