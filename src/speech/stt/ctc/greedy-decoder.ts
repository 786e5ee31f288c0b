/** Best-path decoding: the likeliest symbol of each frame, repeats and blanks collapsed (Graves et al. 2006, §3.2). */
import type { CtcDecoder } from '../ctc-decoder.ts';
import type { CtcAlphabet } from './alphabet.ts';

/** Makes a best-path decoder. */
export function greedyDecoder(alphabet: CtcAlphabet): CtcDecoder {
  const columns = alphabet.symbols.length;
  let symbols: number[] = [];
  let last = alphabet.blank;
  let marked = { length: 0, last };
  return {
    push(logPosteriors) {
      for (let row = 0; row + columns <= logPosteriors.length; row += columns) {
        const symbol = likeliest(logPosteriors, row, columns);
        if (symbol !== last && symbol !== alphabet.blank) symbols.push(symbol);
        last = symbol;
      }
    },
    best: () => [...symbols],
    mark() {
      marked = { length: symbols.length, last };
    },
    rewind() {
      symbols.length = marked.length;
      last = marked.last;
    },
    reset() {
      symbols = [];
      last = alphabet.blank;
      marked = { length: 0, last };
    },
  };
}

/** The column with the highest value in the row that begins at `row`. */
export function likeliest(values: Float32Array, row: number, columns: number): number {
  let best = 0;
  for (let column = 1; column < columns; column++)
    if (values[row + column]! > values[row + best]!) best = column;
  return best;
}
