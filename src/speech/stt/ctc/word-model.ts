/** A word list with a back-off trigram (Katz 1987) as the language model of a beam search. */
import type { CtcAlphabet } from './alphabet.ts';
import type { LanguageModel } from './language-model.ts';
import { growLetterTree } from './letter-tree.ts';
import { readNgrams } from './ngram-file.ts';

/**
 * Reads a language model; words with letters the alphabet lacks are left out of the tree.
 * Errors: `model-load` when the bytes are not in the format.
 */
export function readWordModel(bytes: Uint8Array, alphabet: CtcAlphabet): LanguageModel {
  const ngrams = readNgrams(bytes);
  const { words, unigram, backoff, bigramsFrom, bigramWord, trigramsFrom, trigramWord } = ngrams;
  const tree = growLetterTree(
    words.map((word, number) => (number < 2 ? '' : word)),
    alphabet,
  );
  const likeliest = tree.highest(unigram);
  // A context is the number of the word before or, from `pairs` on, that of a bigram which trigrams begin with.
  const pairs = words.length;
  const lastWord = (context: number): number =>
    context < pairs ? context : bigramWord[context - pairs]!;
  const bigramOf = (first: number, second: number): number =>
    indexOf(bigramWord, second, bigramsFrom[first]!, bigramsFrom[first + 1]!);
  const score = (context: number, word: number): number => {
    if (context < 0) return unigram[word]!;
    let lost = 0;
    if (context >= pairs) {
      const pair = context - pairs;
      const found = indexOf(trigramWord, word, trigramsFrom[pair]!, trigramsFrom[pair + 1]!);
      if (found >= 0) return ngrams.trigram[found]!;
      lost = ngrams.bigramBackoff[pair]!;
    }
    const before = lastWord(context);
    const found = bigramOf(before, word);
    return lost + (found >= 0 ? ngrams.bigram[found]! : backoff[before]! + unigram[word]!);
  };
  return {
    root: 0,
    start: 0,
    follow: (node, symbol) => tree.child(node, symbol),
    wordAt: (node) => tree.word[node]!,
    ahead: (node) => likeliest[node]!,
    settings: ngrams.settings,
    score,
    after(context, word) {
      if (context < 0 || word < 0) return word;
      const pair = bigramOf(lastWord(context), word);
      const isContext = pair >= 0 && trigramsFrom[pair]! < trigramsFrom[pair + 1]!;
      return isContext ? pairs + pair : word;
    },
    end: (context) => score(context, 1),
  };
}

/** Where `wanted` stands between two positions of ascending numbers; −1 when it does not. */
function indexOf(numbers: Uint32Array, wanted: number, from: number, to: number): number {
  let low = from;
  let high = to - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = numbers[middle]!;
    if (found === wanted) return middle;
    if (found < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
