/** Text as flite wants it: ASCII tokens without the signs it would spell out. */
import { speakable } from './speakable.ts';

/** A written word and the tokens flite says for it. */
export interface FliteWord {
  /** As written, white space included. */
  readonly text: string;
  /** Without white space; empty for a silent word. */
  readonly tokens: readonly string[];
}

const letters: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  Æ: 'Ae',
  œ: 'oe',
  Œ: 'Oe',
  ø: 'o',
  Ø: 'O',
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ð: 'th',
  Ð: 'Th',
  þ: 'th',
  Þ: 'Th',
  ı: 'i',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '«': '"',
  '»': '"',
};

/** The words of `text` with their tokens; the `text` of all words together is exactly `text`. */
export function fliteWords(text: string): FliteWord[] {
  return speakable(text).map((word) => ({ text: word.text, tokens: tokensOf(word.spoken) }));
}

/** Latin letters lose their accents; other scripts, which flite has no sounds for, are silent. */
function tokensOf(spoken: string): string[] {
  return (
    spoken
      .replace(/[^\0-\x7f]/g, (character) => letters[character] ?? character)
      .normalize('NFKD')
      .replace(/[^\x20-\x7e]|[<>|\\^~{}[\]`_]/g, '')
      // Names of programmers, in camel case, would be spelled.
      .replace(/(?<=[a-z]{2})(?=[A-Z][a-z]{2})/g, ' ')
      .split(' ')
      .filter((token) => /[A-Za-z0-9]|^[%$+@#]$/.test(token))
  );
}

/**
 * The tokens as a text with a pause after each, so that the pauses in its phones show where tokens end.
 * The commas replace the token's own punctuation, which takes no part in how a token is pronounced.
 * Single letters become small ones, for flite makes no pause after what looks like an initial.
 */
export function separated(tokens: readonly string[]): string {
  return tokens
    .map((token) => token.replace(/(?<=[A-Za-z0-9])[.,;:!?"')]+$/, ''))
    .map((token) => `${/^\W?[A-Z]$/.test(token) ? token.toLowerCase() : token},`)
    .join(' ');
}
