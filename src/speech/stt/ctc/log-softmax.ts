/** Logits to log posteriors, the only thing the decoders look at. */

/**
 * Natural logarithms of the softmax of each row. `logits` holds rows of `columns` values one after
 * another and stays the caller's; the result is fresh.
 */
export function logSoftmax(logits: Float32Array, columns: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(logits.length);
  for (let row = 0; row + columns <= logits.length; row += columns) {
    let highest = -Infinity;
    for (let i = row; i < row + columns; i++) highest = Math.max(highest, logits[i]!);
    let sum = 0;
    for (let i = row; i < row + columns; i++) sum += Math.exp(logits[i]! - highest);
    const normaliser = highest + Math.log(sum);
    for (let i = row; i < row + columns; i++) result[i] = logits[i]! - normaliser;
  }
  return result;
}

/** log(eᵃ + eᵇ) without overflow; −∞ stands for probability 0. */
export function logAdd(a: number, b: number): number {
  if (a === -Infinity) return b;
  if (b === -Infinity) return a;
  return a > b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b));
}
