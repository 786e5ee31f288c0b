/** Mends what a recogniser wrote: words run together, cut in two, or spelled by ear. */
import { isKnown, lexicon } from './lexicon.ts';
import { hearingDistance, tolerance, wordsOf } from './words.ts';

const byLength = new Map<number, string[]>();
for (const word of lexicon) byLength.set(word.length, [...(byLength.get(word.length) ?? []), word]);

interface Guess {
  readonly words: readonly string[];
  readonly cost: number;
}

/** The nearest known word, when it is near enough. */
function nearest(word: string): Guess | undefined {
  let best: Guess | undefined;
  for (let length = Math.max(2, word.length - 2); length <= word.length + 2; length += 1)
    for (const known of byLength.get(length) ?? []) {
      const cost = hearingDistance(word, known);
      if (cost <= Math.max(0.5, tolerance(known.length)) && cost < (best?.cost ?? Infinity))
        best = { words: [known], cost };
    }
  return best;
}

/** The word as two known ones that ran together, the second perhaps misspelled. */
function split(word: string): Guess | undefined {
  let best: Guess | undefined;
  for (let cut = 2; cut <= word.length - 2; cut += 1) {
    const parts = [word.slice(0, cut), word.slice(cut)];
    const guesses = parts.map((part) =>
      isKnown(part) ? { words: [part], cost: 0 } : nearest(part),
    );
    const cost = guesses.reduce((sum, guess) => sum + (guess?.cost ?? Infinity), 0.75);
    if (cost <= (word.length < 6 ? 0.75 : 1.25) && cost < (best?.cost ?? Infinity))
      best = { words: guesses.flatMap((guess) => guess?.words ?? []), cost };
  }
  return best;
}

/** A word and what it was before it was mended; empty for the second of two that had run together. */
export interface Mended {
  readonly word: string;
  readonly heard: string;
}

function mendWord(word: string): readonly Mended[] {
  if (isKnown(word) || word.length < 2 || /\d/.test(word)) return [{ word, heard: word }];
  const [near, cut] = [nearest(word), split(word)];
  const guess = cut && cut.cost < (near?.cost ?? Infinity) ? cut : near;
  return (guess?.words ?? [word]).map((mended, index) => ({
    word: mended,
    heard: index === 0 ? word : '',
  }));
}

/** The words of a sentence, known ones in place of what was probably them; others stay as they are. */
export function mendedWords(text: string): Mended[] {
  const words = wordsOf(text);
  const mended: Mended[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const [word = '', next = ''] = words.slice(index, index + 2);
    const joined = word + next;
    if (next !== '' && lexicon.has(joined) && !(isKnown(word) && isKnown(next))) {
      mended.push({ word: joined, heard: joined });
      index += 1;
    } else mended.push(...mendWord(word));
  }
  return mended;
}
