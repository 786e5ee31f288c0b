/** Log posteriors made to order. */
import * as fc from 'fast-check';
import { type CtcAlphabet, readAlphabet } from '../../../src/speech/stt/ctc/alphabet.ts';
import { logSoftmax } from '../../../src/speech/stt/ctc/log-softmax.ts';

/** The alphabet of the embedded model. */
export const alphabet: CtcAlphabet = readAlphabet(
  Object.fromEntries(
    ['<pad>', '|', ...Array.from('abcdefghijklmnopqrstuvwxyz'), "'"].map((token, column) => [
      token,
      column,
    ]),
  ),
);

/** How many symbols it has. */
export const columns = alphabet.symbols.length;

/** Columns of a text. */
export function columnsOf(text: string): number[] {
  return Array.from(text, (letter) => alphabet.symbols.indexOf(letter));
}

/** One frame a column, each with a logit `peak` above the others. */
export function peaky(path: readonly number[], peak = 12): Float32Array {
  const logits = new Float32Array(path.length * columns);
  for (const [frame, column] of path.entries()) logits[frame * columns + column] = peak;
  return logSoftmax(logits, columns);
}

/** Any path of frames. */
export const anyPath: fc.Arbitrary<number[]> = fc.array(
  fc.oneof(fc.constant(0), fc.integer({ min: 0, max: columns - 1 })),
  { maxLength: 60 },
);

/** Any log posteriors, undecided ones included. */
export const anyPosteriors: fc.Arbitrary<Float32Array> = fc
  .array(
    fc.array(fc.float({ min: -6, max: 6, noNaN: true }), {
      minLength: columns,
      maxLength: columns,
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((rows) => logSoftmax(Float32Array.from(rows.flat()), columns));
