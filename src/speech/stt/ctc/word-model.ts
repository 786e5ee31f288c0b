/**
 * A word list with a back-off bigram (Katz 1987, absolute discounting), read from the text file that a
 * model of Antiphon's carries as `language-model.txt`; the format is described in the model's README.
 */
import { AntiphonError } from '../../../core/errors.ts';
import type { BeamSettings } from './beam-settings.ts';
import type { CtcAlphabet } from './alphabet.ts';
import type { LanguageModel } from './language-model.ts';
import { type LetterTree, growLetterTree } from './letter-tree.ts';

const format = 'antiphon-bigram-1';

/** The numbers of a bigram model; word 0 is the sentence's start, word 1 its end. */
interface Bigrams {
  readonly unigram: Float32Array<ArrayBuffer>;
  readonly backoff: Float32Array<ArrayBuffer>;
  /** The followers of word w stand at `from[w]` … `from[w + 1]`, ascending. */
  readonly from: Int32Array<ArrayBuffer>;
  readonly follower: Int32Array<ArrayBuffer>;
  readonly probability: Float32Array<ArrayBuffer>;
}

/**
 * Reads a language model; words with letters the alphabet lacks are left out of the tree.
 * Errors: `model-load` when the text is not in the format.
 */
export function readWordModel(text: string, alphabet: CtcAlphabet): LanguageModel {
  const lines = text.split('\n');
  const header = readHeader(lines[0] ?? '');
  if (lines.length < 2 * header.words + 1)
    throw formatError(`it ends before its ${header.words} words and their followers`);
  const words = lines.slice(1, header.words + 1).map((line) => line.split('\t'));
  const bigrams = readBigrams(words, lines.slice(header.words + 1), header);
  const tree = growLetterTree(
    words.map((fields, word) => (word < 2 ? '' : (fields[0] ?? ''))),
    alphabet,
  );
  return wordModel(tree, bigrams, header.settings);
}

function wordModel(tree: LetterTree, bigrams: Bigrams, settings: BeamSettings): LanguageModel {
  const { unigram, backoff, from, follower, probability } = bigrams;
  const score = (context: number, word: number): number => {
    if (context < 0) return unigram[word]!;
    let low = from[context]!;
    let high = from[context + 1]! - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = follower[middle]!;
      if (found === word) return probability[middle]!;
      if (found < word) low = middle + 1;
      else high = middle - 1;
    }
    return backoff[context]! + unigram[word]!;
  };
  return {
    root: 0,
    start: 0,
    follow: (node, symbol) => tree.child(node, symbol),
    wordAt: (node) => tree.word[node]!,
    settings,
    score,
    after: (_context, word) => word,
    end: (context) => score(context, 1),
  };
}

interface Header {
  readonly words: number;
  readonly bigrams: number;
  /** What the file's integers are multiplied by to give natural logarithms. */
  readonly scale: number;
  /** The search settings tuned for it. */
  readonly settings: BeamSettings;
}

function readHeader(line: string): Header {
  let header: Record<string, unknown> = {};
  try {
    header = JSON.parse(line) as Record<string, unknown>;
  } catch {
    throw formatError('its first line is not JSON');
  }
  const { format: name, words, bigrams, scale } = header;
  if (name !== format) throw formatError(`its format is ${JSON.stringify(name)}, not ${format}`);
  if (typeof words !== 'number' || typeof bigrams !== 'number' || typeof scale !== 'number')
    throw formatError('its first line lacks words, bigrams or scale');
  // The file counts in decimal logarithms.
  return { words, bigrams, scale: scale * Math.LN10, settings: readSettings(header['decoder']) };
}

/** The file's short names for the search settings. */
const settingNames: Readonly<Record<string, keyof BeamSettings>> = {
  alpha: 'languageModelWeight',
  beta: 'wordBonus',
  oov: 'unknownWord',
  oovLetter: 'unknownLetter',
  beam: 'beamWidth',
  prune: 'symbolRange',
  topk: 'symbolsPerFrame',
};

function readSettings(given: unknown): BeamSettings {
  if (typeof given !== 'object' || given === null) return {};
  const settings: { -readonly [name in keyof BeamSettings]: BeamSettings[name] } = {};
  for (const [short, value] of Object.entries(given)) {
    const name = settingNames[short];
    if (name !== undefined && typeof value === 'number') settings[name] = value;
  }
  return settings;
}

function readBigrams(
  words: readonly (readonly string[])[],
  rows: readonly string[],
  { bigrams, scale }: Header,
): Bigrams {
  const unigram = Float32Array.from(words, (fields) => Number(fields[1]) * scale);
  const backoff = Float32Array.from(words, (fields) => Number(fields[2]) * scale);
  const from = new Int32Array(words.length + 1);
  const follower = new Int32Array(bigrams);
  const probability = new Float32Array(bigrams);
  let at = 0;
  for (let word = 0; word < words.length; word++) {
    at = readRow(rows[word] ?? '', at, follower, probability);
    from[word + 1] = at;
  }
  for (let i = 0; i < at; i++) probability[i] = probability[i]! * scale;
  if (at !== bigrams) throw formatError(`it has ${at} bigrams and announces ${bigrams}`);
  if ([unigram, backoff, probability].some((values) => values.some((value) => Number.isNaN(value))))
    throw formatError('it has numbers that are none');
  return { unigram, backoff, from, follower, probability };
}

/** Reads `step:prob step:prob …` to position `at` on, character by character: there are 100 000 of them. */
function readRow(row: string, at: number, follower: Int32Array, probability: Float32Array): number {
  let word = 0;
  let step = 0;
  let score = 0;
  let inScore = false;
  for (let i = 0; i <= row.length; i++) {
    const code = i < row.length ? row.charCodeAt(i) : space;
    if (code === colon) inScore = true;
    else if (code === space) {
      if (inScore) {
        word += step;
        follower[at] = word;
        probability[at++] = score;
      }
      step = 0;
      score = 0;
      inScore = false;
    } else if (inScore) score = score * 10 + digit(code, 10);
    else step = step * 16 + digit(code, 16);
  }
  return at;
}

const space = 0x20;
const colon = 0x3a;

/** The value of a digit's character code; NaN when it is none. */
function digit(code: number, base: 10 | 16): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return base === 16 && code >= 0x61 && code <= 0x66 ? code - 0x57 : Number.NaN;
}

function formatError(what: string): AntiphonError {
  return new AntiphonError('model-load', `The language model can't be read: ${what}.`, {
    hint: `It must be a text in the format ${format} that belongs to the model.`,
  });
}
