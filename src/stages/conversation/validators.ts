/** What validators are, and the ones that judge a text while it is still being written. */
import { AntiphonError } from '../../core/errors.ts';

/** One thing that is wrong with a text. */
export interface ValidationFailure {
  /** Name of the validator. */
  readonly validator: string;
  /** What is wrong, in words. */
  readonly problem: string;
}

/** What a streaming validator knows about the beginning of a text. */
export interface Scan {
  /**
   * Nothing before this offset (UTF-16 units) can become part of a violation, whatever follows. Counts
   * only while there is no `violation`; may not go back as the text grows.
   */
  readonly safe: number;
  /** The first violation: `at` is where the text stops being acceptable. Must not depend on what follows. */
  readonly violation?: { readonly at: number; readonly problem: string };
}

/** Judges a text while it grows, so that what is fine so far can be spoken already. */
export interface StreamingValidator {
  readonly name: string;
  /** Looks at all there is so far; `final`: nothing follows. Pure. */
  scan(text: string, final: boolean): Scan;
}

/** What a whole-text validator is told. */
export interface ValidationContext {
  /** `input`: what the user said; `output`: what the model wrote. */
  readonly direction: 'input' | 'output';
  readonly turn: number;
  /** Aborts when the run ends, and, on output, when the turn is interrupted. */
  readonly signal: AbortSignal;
}

/** Judges a text that is complete; on output nothing of the reply is spoken before. */
export interface WholeValidator {
  readonly name: string;
  /** The problems, in words; empty when there are none. A throw counts as a problem. */
  check(text: string, context: ValidationContext): readonly string[] | Promise<readonly string[]>;
}

/** Either kind. */
export type Validator = StreamingValidator | WholeValidator;

/** The text without half of a surrogate pair at its end. */
function wholeCharacters(text: string): string {
  return /[\uD800-\uDBFF]$/.test(text) ? text.slice(0, -1) : text;
}

/** Scripts written without spaces: a word may stand anywhere in them, or next to them. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

const wordCharacter = `(?!${unspaced.source})[\\p{L}\\p{N}\\p{M}_]`;
/** White space between the words of a phrase, at most. */
const widestGap = 8;

function phrasePattern(words: readonly string[]): string {
  const characters = Array.from(words.join(''));
  const edge = (character: string | undefined, look: string): string =>
    character !== undefined && new RegExp(wordCharacter, 'u').test(character)
      ? `(?${look}${wordCharacter})`
      : '';
  const escaped = words.map((word) => word.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`));
  return (
    edge(characters[0], '<!') +
    escaped.join(String.raw`\s{1,${widestGap}}`) +
    edge(characters.at(-1), '!')
  );
}

/**
 * Refuses whole words and phrases, whatever their case. Text is unacceptable from the first of them on.
 * In scripts without spaces a word counts wherever it stands.
 *
 * @throws `invalid-argument` on an empty phrase.
 */
export function bannedWords(phrases: readonly string[]): StreamingValidator {
  const name = 'banned-words';
  const split = phrases.map((phrase) => phrase.trim().split(/\s+/));
  if (split.some(([first]) => first === undefined || first === ''))
    throw new AntiphonError('invalid-argument', 'A banned phrase is empty.', {
      hint: 'Take it out of the list.',
    });
  // The shortest first: which of two that begin alike is found must not depend on what follows.
  const sorted = split.toSorted((a, b) => a.join('').length - b.join('').length);
  const pattern = new RegExp(sorted.map(phrasePattern).join('|') || '(?!)', 'iu');
  const mostWords = Math.max(0, ...split.map((words) => words.length));
  const longest = Math.max(
    0,
    // Another case of a letter may take twice the room.
    ...split.map((words) => words.join('').length * 2 + (words.length - 1) * widestGap),
  );
  return {
    name,
    scan(given, final) {
      const text = final ? given : wholeCharacters(given);
      const found = pattern.exec(text);
      const safe = final ? given.length : safeBefore(text, mostWords, longest);
      if (!found) return { safe };
      const decided = found.index + found[0].length < text.length && found.index <= safe;
      if (!final && !decided) return { safe: Math.min(safe, found.index) };
      return { safe, violation: { at: found.index, problem: `“${found[0]}” is banned` } };
    },
  };
}

/** Where a phrase that is not complete yet may begin at the earliest. */
function safeBefore(text: string, mostWords: number, longest: number): number {
  const unfinished = Math.max(0, text.length - longest);
  const runs = [...text.slice(unfinished).matchAll(/\S+/gu)];
  const endsInSpace = /\s$/u.test(text);
  const open = endsInSpace ? mostWords - 1 : mostWords;
  if (open <= 0) return text.length;
  const start = runs.at(-open)?.index;
  return start === undefined ? unfinished : unfinished + start;
}

/** Limits of {@link maxLength}; both hold when both are given. */
export interface MaxLengthOptions {
  /** UTF-16 units. */
  readonly characters?: number;
  /** Counted as four characters each. */
  readonly tokens?: number;
}

/** Refuses what goes beyond a length; the acceptable part ends between two words. */
export function maxLength(options: MaxLengthOptions): StreamingValidator {
  const limit = Math.min(options.characters ?? Infinity, (options.tokens ?? Infinity) * 4);
  if (!(limit >= 0))
    throw new AntiphonError('invalid-argument', 'A length must not be negative.', {
      hint: 'Give characters or tokens of 0 or more.',
    });
  return {
    name: 'max-length',
    scan(text, final) {
      const lastGap = text.slice(0, limit + 1).search(/\s\S*$/u);
      if (text.length > limit) {
        const inside = /[\uD800-\uDBFF]/.test(text[limit - 1] ?? '') ? limit - 1 : limit;
        const at = lastGap === -1 ? Math.max(0, inside) : lastGap;
        return { safe: at, violation: { at, problem: `is longer than ${limit} characters` } };
      }
      return { safe: final ? text.length : Math.max(0, lastGap) };
    },
  };
}

const sentenceEnd =
  /[.!?…]+["'”’)\]]*\s+(?=\S)|[。！？]+["'”’」』）)\]]*\s*(?=[^\s。！？.!?…"'”’」』）)\]])/gu;

/**
 * Refuses what comes behind the first `most` sentences. A full stop, question or exclamation mark with a space behind it
 * ends one.
 *
 * @throws `invalid-argument` when `most` is no number of 0 or more
 */
export function maxSentences(most: number): StreamingValidator {
  if (!(most >= 0))
    throw new AntiphonError('invalid-argument', 'A number of sentences must not be negative.', {
      hint: 'Give 0 or more.',
    });
  return {
    name: 'max-sentences',
    scan(text) {
      let count = /\S/u.test(text) ? 1 : 0;
      if (count > most) return { safe: 0, violation: { at: 0, problem: 'is not empty' } };
      for (const { index, 0: end } of text.matchAll(sentenceEnd)) {
        count++;
        if (count > most)
          return {
            safe: index,
            violation: { at: index + end.length, problem: `has more than ${most} sentences` },
          };
      }
      return { safe: text.length };
    },
  };
}
