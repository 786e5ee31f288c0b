/** Two speakers at once. */
import type { StreamElement } from '../../../src/core/element.ts';

/** `a` and `b` in turns, one element each. */
export const interleaved = (
  a: readonly StreamElement[],
  b: readonly StreamElement[],
): StreamElement[] =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, index) => [a[index], b[index]])
    .flat()
    .filter((one) => one !== undefined);
