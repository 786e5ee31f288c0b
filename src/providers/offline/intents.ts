/** Which of a few things a sentence asks for, found by phrases that survive a recogniser's spelling. */
import { phrases, type Intent } from './phrases.ts';
import { hearingDistance, likeness } from './words.ts';

interface Entry {
  readonly intent: Intent;
  readonly words: readonly string[];
  /** The phrase without its spaces. */
  readonly squashed: string;
}

const every: readonly Entry[] = Object.entries(phrases).flatMap(([intent, list]) =>
  list.map((phrase) => ({
    intent: intent as Intent,
    words: phrase.split(' '),
    squashed: phrase.replaceAll(' ', ''),
  })),
);
/** Letters of the phrase found in the sentence, in order, less what lies between; 0 when a word is missing. */
function phraseScore(words: readonly string[], phrase: readonly string[]): number {
  let best = 0;
  for (let begin = 0; begin < words.length; begin += 1) {
    let at = begin;
    let score = 0;
    let gaps = 0;
    for (const [index, target] of phrase.entries()) {
      let found = -1;
      let quality = 0;
      for (
        let look = at;
        look < Math.min(words.length, index === 0 ? begin + 1 : at + 3);
        look += 1
      ) {
        quality = likeness(words[look] ?? '', target);
        if (quality > 0) {
          found = look;
          break;
        }
      }
      if (found === -1) {
        score = 0;
        break;
      }
      gaps += found - at;
      at = found + 1;
      score += (target.length + 1) * quality;
    }
    best = Math.max(best, score - gaps * 1.5);
  }
  return best;
}

/** Likeness of the whole sentence, spaces and all, to a phrase: words that ran together or came apart. */
function squashedScore(squashed: string, phrase: string): number {
  if (phrase.length < 6 || Math.abs(squashed.length - phrase.length) > 4) return 0;
  const edits = hearingDistance(squashed, phrase) / phrase.length;
  return edits <= 0.25 ? phrase.length * (1 - edits) * 0.9 : 0;
}

/** The entry of the highest score above 1. */
function best(score: (entry: Entry) => number): Intent | undefined {
  let winner: { readonly intent: Intent; readonly score: number } | undefined;
  for (const entry of every) {
    const points = score(entry);
    if (points > (winner?.score ?? 1)) winner = { intent: entry.intent, score: points };
  }
  return winner?.intent;
}

/**
 * The intent of a sentence, or undefined. Score: letters of a phrase that were found, likeness counted in, less what
 * stands between; a short phrase in a long sentence ("time" among twelve other words) is no request.
 */
export function intentOf(words: readonly string[]): Intent | undefined {
  const squashed = words.join('');
  const direct = best(({ words: phrase }) => {
    const covered = phrase.length / words.length;
    if (covered < 0.2 || (phrase.length === 1 && words.length > 6)) return 0;
    return phraseScore(words, phrase) * (0.6 + 0.4 * Math.min(1, covered));
  });
  return direct ?? best((entry) => squashedScore(squashed, entry.squashed));
}
