/** Words as a speech recogniser writes them: plain, and sometimes wrong by a letter or two. */

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

/** Edits (insert, delete, replace, swap neighbours) from `a` to `b`: optimal string alignment distance. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        cost = Math.min(cost, (before[column - 2] ?? 0) + 1);
      next.push(cost);
    }
    before = last;
    last = next;
  }
  return last[b.length] ?? 0;
}

/** The word about as it sounds, so that spellings of one sound meet. */
function soundOf(word: string): string {
  return word
    .replace(/^kn/, 'n')
    .replace(/^wr/, 'r')
    .replaceAll('wh', 'w')
    .replaceAll('ph', 'f')
    .replaceAll('tch', 'ch')
    .replaceAll(/igh/g, 'i')
    .replaceAll('ck', 'k')
    .replaceAll(/c(?=[eiy])/g, 's')
    .replaceAll(/c(?!h)/g, 'k')
    .replaceAll('q', 'k')
    .replaceAll('z', 's')
    .replaceAll('y', 'i')
    .replaceAll(/(.)\1/g, '$1')
    .replace(/(.{2})e$/, '$1');
}

/** Edits that a misheard word of this length may be away. */
function tolerance(length: number): number {
  if (length <= 3) return 0;
  if (length <= 5) return 1;
  return length <= 8 ? 2 : 3;
}

/** Everyday words a letter away from one that matters: they are what they are. */
const settled: ReadonlySet<string> = new Set(
  (
    'time times timer timers mine fine line live give even ever never then than the they them there here where what ' +
    'when who how day days date say play stay way may today tomorrow yesterday made make take like count could call ' +
    'name same came game set get let said want went right might minutes minute second seconds hours hour stop start ' +
    'cancel plus minus left tell well will fall full hall half have love move more most much must just last first work ' +
    'word world would should about above after other another weather whether good food could cold told gold hold'
  ).split(' '),
);

/** 1 for the same word, less for one that may have been meant, 0 for another. */
export function likeness(word: string, target: string): number {
  if (word === target) return 1;
  if (settled.has(word)) return 0;
  const edits = Math.min(
    editDistance(word, target),
    editDistance(soundOf(word), soundOf(target)) + 0.5,
  );
  return edits <= tolerance(target.length) + (soundOf(word) === soundOf(target) ? 0.5 : 0)
    ? 1 - edits / (target.length + 1)
    : 0;
}

/** True when `word` is, or may have been meant as, one of `targets`. */
export function isLike(word: string | undefined, ...targets: readonly string[]): boolean {
  return word !== undefined && targets.some((target) => likeness(word, target) > 0);
}

/** True when some word is like one of `targets`. */
export function someLike(words: readonly string[], ...targets: readonly string[]): boolean {
  return words.some((word) => isLike(word, ...targets));
}
