/** What a recogniser understood, made of a text. */
import type { Recognition } from '../speech/stt/recognizer.ts';

/** Facts of a {@link recognition} besides its text. */
export interface RecognitionFacts {
  /** The words with their times; one behind the other unless given. */
  readonly words?: Recognition['words'];
  /** Where the first word begins, ms from the first sample; 0 unless given. */
  readonly startMs?: number;
  /** How long each word is; 100 unless given. */
  readonly wordMs?: number;
  /** 0…1; 0.9 unless given. */
  readonly confidence?: number;
}

/** `text`, its words one behind the other. */
export function recognition(text: string, facts: RecognitionFacts = {}): Recognition {
  const { startMs = 0, wordMs = 100, confidence = 0.9 } = facts;
  const words = text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word, index) => {
      const start = startMs + index * wordMs;
      return { text: word, start, end: start + wordMs };
    });
  return { text, words: facts.words ?? words, confidence };
}

/** What has been said of `whole` when `ms` of its audio have passed: the words that have ended. */
export function wordsSpokenAt(whole: Recognition, ms: number): Recognition {
  const words = whole.words.filter(({ end }) => end <= ms);
  return { text: words.map(({ text }) => text).join(' '), words, confidence: whole.confidence };
}
