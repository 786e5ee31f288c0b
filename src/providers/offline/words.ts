/** Words as a speech recogniser writes them: plain, and sometimes wrong by a letter or two. */
import { isKnown } from './lexicon.ts';

const contractions: Readonly<Record<string, string>> = {
  "what's": 'what is',
  whats: 'what is',
  wats: 'what is',
  "who's": 'who is',
  whos: 'who is',
  "how's": 'how is',
  "it's": 'it is',
  "i'm": 'i am',
  im: 'i am',
  "name's": 'name is',
  "that's": 'that is',
  "you're": 'you are',
  "let's": 'let us',
  "today's": 'today',
  "tomorrow's": 'tomorrow',
  "can't": 'cannot',
  gimme: 'give me',
  wanna: 'want to',
  nevermind: 'never mind',
};

const symbols: readonly (readonly [RegExp, string])[] = [
  [/[’‘`]/g, "'"],
  [/(\d),(?=\d{3}(?!\d))/g, '$1'],
  [/(\d)\s*[x×]\s*(?=[\d(])/g, '$1 times '],
  [/\+/g, ' plus '],
  [/(^|[^a-z\s]|\s)[-−–](?=\s*[\d(])/g, '$1 minus '],
  [/[*×·]/g, ' times '],
  [/[/÷]/g, ' divided by '],
  [/\^/g, ' to the power of '],
  [/%/g, ' percent '],
  [/√/g, ' square root of '],
  [/[()]/g, ' $& '],
];

/** The words of a sentence: lower case, contractions spelled out, signs as words, no punctuation. */
export function wordsOf(text: string): string[] {
  let plain = text.toLowerCase();
  for (const [pattern, replacement] of symbols) plain = plain.replaceAll(pattern, replacement);
  return plain
    .replaceAll(/(\d)\.(\d)/g, '$1 point $2')
    .replaceAll(/(\d)(?=[a-z])/g, '$1 ')
    .replaceAll(/[^a-z0-9'() ]+/g, ' ')
    .split(/\s+/)
    .flatMap((word) =>
      (Object.hasOwn(contractions, word) ? (contractions[word] ?? '') : word).split(' '),
    )
    .map((word) => word.replaceAll(/^'+|'+$/g, ''))
    .filter((word) => word !== '');
}

/** Letters a recogniser takes for one another. */
const alike: ReadonlySet<string> = new Set(
  'ae ai ao ei eo eu ia io iu iy oa ou td bp mn ck kg gc sz cs fv vw wu ey jg dj bv'
    .split(' ')
    .flatMap((pair) => [pair, pair.charAt(1) + pair.charAt(0)]),
);
const isVowel = (letter: string): boolean => 'aeiouy'.includes(letter);

/** Cost of a letter too many or too few: half for a doubled one and for a vowel, which are hardly heard. */
function strayCost(letter: string, before: string): number {
  return letter === before || isVowel(letter) ? 0.5 : 1;
}

/**
 * How far apart two spellings are by ear: edits (a letter more, fewer, other; neighbours swapped: optimal string
 * alignment), where letters that sound alike, doubled letters and vowels count half.
 */
export function hearingDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = [0];
  for (let column = 1; column <= b.length; column += 1)
    last.push((last[column - 1] ?? 0) + strayCost(b.charAt(column - 1), b.charAt(column - 2)));
  for (let row = 1; row <= a.length; row += 1) {
    const letter = a.charAt(row - 1);
    const extra = strayCost(letter, a.charAt(row - 2));
    const next = [(last[0] ?? 0) + extra];
    for (let column = 1; column <= b.length; column += 1) {
      const other = b.charAt(column - 1);
      const change = letter === other ? 0 : alike.has(letter + other) ? 0.5 : 1;
      let cost = Math.min(
        (last[column] ?? 0) + extra,
        (next[column - 1] ?? 0) + strayCost(other, b.charAt(column - 2)),
        (last[column - 1] ?? 0) + change,
      );
      if (row > 1 && column > 1 && letter === b.charAt(column - 2) && a.charAt(row - 2) === other)
        cost = Math.min(cost, (before[column - 2] ?? 0) + 1);
      next.push(cost);
    }
    before = last;
    last = next;
  }
  return last[b.length] ?? 0;
}

/** Distance a misheard word of this length may be away. */
export function tolerance(length: number): number {
  if (length <= 2) return 0;
  if (length === 3) return 0.5;
  if (length <= 5) return 1;
  return length <= 8 ? 1.5 : 2;
}

/** 1 for the same word, less for one that may have been meant, 0 for another; a word we know is itself. */
export function likeness(word: string, target: string): number {
  if (word === target) return 1;
  if (isKnown(word) || Math.abs(word.length - target.length) > 3) return 0;
  const distance = hearingDistance(word, target);
  return distance <= tolerance(target.length) ? 1 - distance / (target.length + 1) : 0;
}

/** True when `word` is, or may have been meant as, one of `targets`. */
export function isLike(word: string | undefined, ...targets: readonly string[]): boolean {
  return word !== undefined && targets.some((target) => likeness(word, target) > 0);
}

/** True when some word is like one of `targets`. */
export function someLike(words: readonly string[], ...targets: readonly string[]): boolean {
  return words.some((word) => isLike(word, ...targets));
}
