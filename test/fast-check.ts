/**
 * What every test gets for `fast-check` (see `vitest.config.ts`). By itself the library makes arrays of at most ten,
 * whatever `maxLength` says; here a `maxLength` means what it says. The cases of `npm test` are the same each time, so
 * that a change is judged by what it changes; `npm run test:fuzz` (`FUZZ_RUNS`) looks for new ones.
 */
import * as fc from 'fast-check';

const { process } = globalThis as { readonly process?: { readonly env?: NodeJS.ProcessEnv } };
const explores = process?.env?.['FUZZ_RUNS'] !== undefined;

fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true, ...(explores ? {} : { seed: 1 }) });

export * from 'fast-check';
