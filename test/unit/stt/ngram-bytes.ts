/** A language model file made by hand. */

/** What follows a word or a pair: its number, its cost, and for a bigram what it costs to back off and what follows it. */
export interface Follower {
  readonly word: number;
  readonly cost: number;
  readonly backoff?: number;
  readonly followers?: readonly Follower[];
}

/** A model whose words all have n-grams, and a tail of rare ones, alphabetical. */
export interface Contents {
  readonly words: readonly {
    readonly text: string;
    readonly cost: number;
    readonly backoff: number;
    readonly followers?: readonly Follower[];
  }[];
  readonly rare?: readonly { readonly text: string; readonly cost: number }[];
  readonly header?: Readonly<Record<string, unknown>>;
}

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];

function spelled(words: readonly string[]): string[] {
  return words.map((word, i) => {
    const before = words[i - 1] ?? '';
    let same = 0;
    while (same < word.length && word[same] === before[same]) same++;
    return String.fromCharCode(48 + same) + word.slice(same);
  });
}

function pairs(followers: readonly Follower[]): number[] {
  let last = 0;
  return followers.flatMap(({ word, cost, backoff = 0, followers: more = [] }) => {
    const step = word - last;
    last = word;
    let before = 0;
    const triples = more.flatMap((third) => {
      const stepped = varint(third.word - before);
      before = third.word;
      return [...stepped, third.cost];
    });
    const tail = more.length > 0 ? [backoff & 255, ...triples] : [];
    return [...varint(step), cost, ...varint(more.length), ...tail];
  });
}

/** The bytes of a model; costs are decimal log probabilities × −100. */
export function ngramBytes({ words, rare = [], header = {} }: Contents): Uint8Array<ArrayBuffer> {
  const lines = [...words.map(({ text }) => text), ...spelled(rare.map(({ text }) => text))];
  const spelling = lines.map((line) => `${line}\n`).join('');
  const bigrams = words.flatMap(({ followers = [] }) => followers);
  const announced = {
    format: 'antiphon-trigram-1',
    words: lines.length,
    common: words.length,
    bigrams: bigrams.length,
    trigrams: bigrams.flatMap(({ followers = [] }) => followers).length,
    spellingBytes: spelling.length,
    scale: 0.01,
    ...header,
  };
  const numbers = [
    ...words.map(({ cost }) => cost),
    ...rare.map(({ cost }) => cost),
    ...words.map(({ backoff }) => backoff & 255),
    ...words.flatMap(({ followers = [] }) => [...varint(followers.length), ...pairs(followers)]),
  ];
  const text = new TextEncoder().encode(`${JSON.stringify(announced)}\n${spelling}`);
  const bytes = new Uint8Array(text.length + numbers.length);
  bytes.set(text);
  bytes.set(numbers, text.length);
  return bytes;
}
