/** A word list as a tree of letters in typed arrays. */
import type { CtcAlphabet } from './alphabet.ts';

/** Node 0 is the root. */
export interface LetterTree {
  /** Per node: the word spelled by the way to it; −1 for none. */
  readonly word: Int32Array<ArrayBuffer>;
  /** The node after one more symbol; −1 when no word goes on so. */
  child(node: number, symbol: number): number;
  /** Per node: the highest of the words' values among those whose spelling leads through it. */
  highest(values: Float32Array): Float32Array<ArrayBuffer>;
}

/**
 * Grows a tree from words (a word's number is its place in the list). Empty words and words the alphabet
 * can't spell are left out.
 */
export function growLetterTree(words: readonly string[], alphabet: CtcAlphabet): LetterTree {
  const symbolOf = new Map(alphabet.symbols.map((letter, symbol) => [letter, symbol]));
  symbolOf.delete('');
  symbolOf.delete(' ');
  const capacity = words.reduce((sum, word) => sum + word.length, 1);
  let symbol = new Int32Array(capacity);
  let parent = new Int32Array(capacity);
  let firstChild = new Int32Array(capacity).fill(-1);
  let nextSibling = new Int32Array(capacity).fill(-1);
  let word = new Int32Array(capacity).fill(-1);
  let size = 1;
  const child = (node: number, wanted: number): number => {
    let at = firstChild[node]!;
    while (at >= 0 && symbol[at] !== wanted) at = nextSibling[at]!;
    return at;
  };
  const isSpellable = (letters: string): boolean => {
    for (const letter of letters) if (!symbolOf.has(letter)) return false;
    return letters !== '';
  };
  for (const [number, letters] of words.entries()) {
    if (!isSpellable(letters)) continue;
    let node = 0;
    for (const letter of letters) {
      const wanted = symbolOf.get(letter) ?? -1;
      let next = child(node, wanted);
      if (next < 0) {
        next = size++;
        symbol[next] = wanted;
        parent[next] = node;
        nextSibling[next] = firstChild[node]!;
        firstChild[node] = next;
      }
      node = next;
    }
    word[node] = number;
  }
  // Words share most of their letters: what is kept is a fraction of what could have been needed.
  [symbol, parent, firstChild, nextSibling, word] = [
    symbol.slice(0, size),
    parent.slice(0, size),
    firstChild.slice(0, size),
    nextSibling.slice(0, size),
    word.slice(0, size),
  ];
  const highest = (values: Float32Array): Float32Array<ArrayBuffer> => {
    const best = new Float32Array(size).fill(-Infinity);
    // A node is always younger than its parent.
    for (let node = size - 1; node >= 0; node--) {
      if (word[node]! >= 0) best[node] = Math.max(best[node]!, values[word[node]!]!);
      const above = parent[node]!;
      if (node > 0) best[above] = Math.max(best[above]!, best[node]!);
    }
    return best;
  };
  return { word, child, highest };
}
