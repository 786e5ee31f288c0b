/**
 * What every test gets for `fast-check` (see `vitest.config.ts`). By itself the library makes arrays of at most ten,
 * whatever `maxLength` says; here a `maxLength` means what it says.
 */
import * as fc from 'fast-check';

fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });

export * from 'fast-check';
