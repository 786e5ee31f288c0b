/** The documents and their examples, as tests read them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The text of a file, given from this folder. */
export const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');

/** Where the sources of an entry of the package are, from any folder of examples. */
const entries = [
  [/'(?:\.\.\/)+src\/index\.ts'/g, "'antiphon'"],
  [/'(?:\.\.\/)+src\/core\/index\.ts'/g, "'antiphon/core'"],
  [/'(?:\.\.\/)+src\/testing\/index\.ts'/g, "'antiphon/testing'"],
] as const;

/** An example as a reader would write it: importing the package, not our sources. */
export const asPublished = (path: string): string =>
  entries.reduce((text, [ours, theirs]) => text.replaceAll(ours, theirs), read(path)).trim();

/** A document's blocks of TypeScript. */
export const blocksOf = (document: string): string[] =>
  [...document.matchAll(/^```ts\n(.*?)\n```$/gms)].map(([, block = '']) => block);
