/** How wrong a transcript is: the field's usual measure. */

/** Lower-case words without punctuation, apostrophes kept. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
}

/** Substitutions, deletions and insertions that turn `heard` into `said`, in words. */
export function wordErrors(said: string, heard: string): { errors: number; words: number } {
  const reference = wordsOf(said);
  let row = [0, ...wordsOf(heard).map((_, index) => index + 1)];
  const hypothesis = wordsOf(heard);
  for (const [index, word] of reference.entries()) {
    const next = [index + 1];
    for (const [column, other] of hypothesis.entries())
      next.push(
        Math.min(row[column]! + (word === other ? 0 : 1), row[column + 1]! + 1, next[column]! + 1),
      );
    row = next;
  }
  return { errors: row.at(-1) ?? 0, words: reference.length };
}

/** Word error rate over pairs of what was said and what was heard: 0 is perfect, above 1 is possible. */
export function wordErrorRate(
  pairs: Iterable<{ readonly said: string; readonly heard: string }>,
): number {
  let errors = 0;
  let words = 0;
  for (const { said, heard } of pairs) {
    const counted = wordErrors(said, heard);
    errors += counted.errors;
    words += counted.words;
  }
  return words === 0 ? 0 : errors / words;
}
