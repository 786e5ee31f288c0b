/** An aligned spelling as words with times and a confidence: what a recogniser hands out. */
import type { TimedWord } from '../../../core/element.ts';
import type { Recognition } from '../recognizer.ts';
import { type AlignedSymbol, align } from './alignment.ts';
import { type CtcAlphabet, spell } from './alphabet.ts';

/** What there is when nobody spoke. */
export const nothingHeard: Recognition = Object.freeze({ text: '', words: [], confidence: 0 });

/** How frames lie in time. */
export interface FrameTiming {
  /** Length of a frame in ms. */
  readonly frameMs: number;
  /** Where the first frame is centred and the audio begins, in ms, 0 unless given. */
  readonly startMs?: number;
  /** Where the audio ends, in ms; no word ends later. */
  readonly endMs?: number;
}

/**
 * Turns a spelling and the log posteriors it came from into text, timed words and a confidence: the
 * geometric mean of the letters' peak posteriors, 0…1.
 */
export function spokenWords(
  alphabet: CtcAlphabet,
  logPosteriors: Float32Array,
  spelling: readonly number[],
  timing: FrameTiming,
): Recognition {
  const text = spell(alphabet, spelling);
  if (text === '') return nothingHeard;
  const aligned = align(logPosteriors, alphabet.symbols.length, spelling, alphabet.blank);
  const letters = aligned.filter(({ symbol }) => symbol !== alphabet.space);
  if (letters.length === 0) return nothingHeard;
  const sum = letters.reduce((total, letter) => total + letter.logPosterior, 0);
  const confidence = Math.min(1, Math.exp(sum / letters.length));
  return { text, words: words(alphabet, aligned, timing), confidence };
}

/** Several recognitions of consecutive audio as one; the confidence is weighted by the text's length. */
export function joinRecognitions(parts: readonly Recognition[]): Recognition {
  const spoken = parts.filter((part) => part.text !== '');
  const letters = spoken.reduce((sum, part) => sum + part.text.length, 0);
  if (letters === 0) return nothingHeard;
  const weighted = spoken.reduce((sum, part) => sum + part.confidence * part.text.length, 0);
  return {
    text: spoken.map((part) => part.text).join(' '),
    words: spoken.flatMap((part) => part.words),
    confidence: weighted / letters,
  };
}

function words(
  alphabet: CtcAlphabet,
  aligned: readonly AlignedSymbol[],
  { frameMs, startMs = 0, endMs = Infinity }: FrameTiming,
): TimedWord[] {
  const result: TimedWord[] = [];
  let letters: AlignedSymbol[] = [];
  const finish = (): void => {
    const first = letters[0];
    const last = letters.at(-1);
    if (first === undefined || last === undefined) return;
    result.push({
      text: letters.map(({ symbol }) => alphabet.symbols[symbol] ?? '').join(''),
      start: Math.min(endMs, Math.max(startMs, startMs + (first.start - 0.5) * frameMs)),
      end: Math.min(endMs, startMs + (last.end - 0.5) * frameMs),
    });
    letters = [];
  };
  for (const letter of aligned) {
    if (letter.symbol === alphabet.space) finish();
    else letters.push(letter);
  }
  finish();
  return result;
}
