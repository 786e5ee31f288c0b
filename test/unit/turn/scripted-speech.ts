/** Speech for tests as the probabilities that a detector gives its frames. */
import type { AudioElement } from '../../../src/core/element.ts';
import { elements } from '../../../src/testing/index.ts';

/** One frame, ms. */
export const frameMs = 32;

/** `[ms, probability]` pieces, one after another, as probabilities of frames. */
export function frames(
  ...pieces: readonly (readonly [ms: number, probability: number])[]
): number[] {
  return pieces.flatMap(([ms, probability]) =>
    Array.from({ length: Math.round(ms / frameMs) }, () => probability),
  );
}

/** The probabilities as microphone frames: 0 ms is the first sample. */
export function microphone(probabilities: readonly number[], from = 0): AudioElement[] {
  const make = elements({ turn: 0, at: from * frameMs });
  return make.probabilities(...probabilities.map((probability) => [frameMs, probability] as const));
}
