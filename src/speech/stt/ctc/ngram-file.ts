/**
 * The file that a model of Antiphon's carries as `language-model.bin.gz`: words and the n-grams over them, packed
 * in bytes. The format is described in the model's README.
 */
import { AntiphonError } from '../../../core/errors.ts';
import type { BeamSettings } from './beam-settings.ts';

const format = 'antiphon-trigram-1';

/** A back-off trigram. Log probabilities and back-offs are natural; word 0 is the text's start, word 1 its end. */
export interface Ngrams {
  /** By number. */
  readonly words: readonly string[];
  readonly unigram: Float32Array<ArrayBuffer>;
  readonly backoff: Float32Array<ArrayBuffer>;
  /** The bigrams that begin with word w stand at `bigramsFrom[w]` … `bigramsFrom[w + 1]`, ascending by their second word. */
  readonly bigramsFrom: Uint32Array<ArrayBuffer>;
  readonly bigramWord: Uint32Array<ArrayBuffer>;
  readonly bigram: Float32Array<ArrayBuffer>;
  readonly bigramBackoff: Float32Array<ArrayBuffer>;
  /** The trigrams that begin with bigram b stand at `trigramsFrom[b]` … `trigramsFrom[b + 1]`, ascending by their third word. */
  readonly trigramsFrom: Uint32Array<ArrayBuffer>;
  readonly trigramWord: Uint32Array<ArrayBuffer>;
  readonly trigram: Float32Array<ArrayBuffer>;
  /** The search settings tuned for them. */
  readonly settings: BeamSettings;
}

/**
 * Unpacks a language model.
 * Errors: `model-load` when the bytes are not in the format.
 */
export function readNgrams(bytes: Uint8Array): Ngrams {
  const lineEnd = bytes.subarray(0, 4096).indexOf(10);
  const header = readHeader(new TextDecoder().decode(bytes.subarray(0, Math.max(0, lineEnd))));
  const { common, scale } = header;
  const numbers = lineEnd + 1 + header.spellingBytes;
  const words = readWords(bytes.subarray(lineEnd + 1, numbers), common);
  if (words.length !== header.words)
    throw formatError(`it has ${words.length} words and announces ${header.words}`);
  const reader = new ByteReader(bytes, numbers);
  const read = (length: number, byte: () => number): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length }, () => byte() * scale);
  const probability = (): number => -reader.byte();
  const unigram = read(words.length, probability);
  const backoff = new Float32Array(words.length);
  backoff.set(read(common, () => reader.signedByte()));
  const bigramsFrom = new Uint32Array(words.length + 1).fill(header.bigrams);
  const bigramWord = new Uint32Array(header.bigrams);
  const bigram = new Float32Array(header.bigrams);
  const bigramBackoff = new Float32Array(header.bigrams);
  const trigramsFrom = new Uint32Array(header.bigrams + 1);
  const trigramWord = new Uint32Array(header.trigrams);
  const trigram = new Float32Array(header.trigrams);
  let bigrams = 0;
  let trigrams = 0;
  for (let first = 0; first < common; first++) {
    bigramsFrom[first] = bigrams;
    let second = 0;
    for (let left = reader.varint(); left > 0; left--) {
      second += reader.varint();
      bigramWord[bigrams] = second;
      bigram[bigrams] = probability() * scale;
      trigramsFrom[bigrams] = trigrams;
      const followers = reader.varint();
      if (followers > 0) bigramBackoff[bigrams] = reader.signedByte() * scale;
      for (let third = 0, more = followers; more > 0; more--) {
        third += reader.varint();
        trigramWord[trigrams] = third;
        trigram[trigrams++] = probability() * scale;
      }
      bigrams++;
    }
  }
  trigramsFrom[bigrams] = trigrams;
  if (bigrams !== header.bigrams || trigrams !== header.trigrams)
    throw formatError(`it has ${bigrams} bigrams and ${trigrams} trigrams, announced otherwise`);
  if (!reader.atEnd) throw formatError('it goes on after its last number');
  return {
    words,
    unigram,
    backoff,
    bigramsFrom,
    bigramWord,
    bigram,
    bigramBackoff,
    trigramsFrom,
    trigramWord,
    trigram,
    settings: header.settings,
  };
}

class ByteReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw formatError('it ends too early');
    return byte;
  }

  signedByte(): number {
    const byte = this.byte();
    return byte > 127 ? byte - 256 : byte;
  }

  /** Seven bits a byte, the lowest first; the highest bit says that more follow. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw formatError('it has numbers that are none');
  }
}

/** Common words stand as they are; each further one begins with how many letters it shares with the one before. */
function readWords(bytes: Uint8Array, common: number): readonly string[] {
  const words = new TextDecoder().decode(bytes).split('\n');
  words.pop();
  for (let i = common; i < words.length; i++) {
    const line = words[i]!;
    const before = i > common ? words[i - 1]! : '';
    words[i] = before.slice(0, line.charCodeAt(0) - 48) + line.slice(1);
  }
  return words;
}

interface Header {
  readonly words: number;
  /** How many of the words have n-grams of their own. */
  readonly common: number;
  readonly bigrams: number;
  readonly trigrams: number;
  readonly spellingBytes: number;
  /** What the file's integers are multiplied by to give natural logarithms. */
  readonly scale: number;
  readonly settings: BeamSettings;
}

function readHeader(line: string): Header {
  let header: Record<string, unknown> = {};
  try {
    header = JSON.parse(line) as Record<string, unknown>;
  } catch {
    throw formatError('its first line is not JSON');
  }
  if (header['format'] !== format)
    throw formatError(`its format is ${JSON.stringify(header['format'])}`);
  const number = (name: string): number => {
    const value = header[name];
    if (typeof value !== 'number') throw formatError(`its first line lacks ${name}`);
    return value;
  };
  const [words, common] = [number('words'), number('common')];
  return {
    words,
    common: Math.min(common, words),
    bigrams: number('bigrams'),
    trigrams: number('trigrams'),
    spellingBytes: number('spellingBytes'),
    // The file counts in decimal logarithms.
    scale: number('scale') * Math.LN10,
    settings: readSettings(header['decoder']),
  };
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
  ahead: 'lookAhead',
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

function formatError(what: string): AntiphonError {
  return new AntiphonError('model-load', `The language model can't be read: ${what}.`, {
    hint: `It must be a file in the format ${format} that belongs to the model.`,
  });
}
