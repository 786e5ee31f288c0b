/** How long the property tests of this folder run: a moment in `npm test`, `npm run test:fuzz` for good measure. */

/** A run that takes longer than this is taken for one that never ends, ms. */
const endlessMs = 5000;

/** Settings of `fc.assert`: as many runs as `FUZZ_RUNS` says, and every one of an asynchronous property has to end. */
export function runs(): { readonly numRuns: number; readonly timeout: number } {
  return { numRuns: Number(process.env['FUZZ_RUNS'] ?? 50), timeout: endlessMs };
}

/** Lets everything that waits for nothing but other promises run. */
export async function settle(): Promise<void> {
  for (let tick = 0; tick < 30; tick += 1) await Promise.resolve();
}
