/** The symbols a CTC model spells with, and how Hugging Face writes them down in `vocab.json`. */
import { AntiphonError } from '../../../core/errors.ts';

/** What each column of the logits stands for. */
export interface CtcAlphabet {
  /** The text of each symbol; the blank and special tokens are empty, the word boundary is a space. */
  readonly symbols: readonly string[];
  /** The column that says "nothing new". */
  readonly blank: number;
  /** The column that ends a word. */
  readonly space: number;
}

/** Which tokens of a vocabulary play a part of their own. */
export interface AlphabetTokens {
  /** The blank; the pad token in Hugging Face's CTC models, `<pad>`, `[PAD]` or `_` unless given. */
  readonly blank?: string;
  /** The word boundary, `|` or a space unless given. */
  readonly wordDelimiter?: string;
}

const specialToken = /^(<.*>|\[.*\])$/;

/**
 * Reads a `vocab.json` (token → column). Letters become lower case.
 * Errors: `model-load` when columns are missing or twice, or no blank or word boundary can be found.
 */
export function readAlphabet(vocabulary: unknown, tokens: AlphabetTokens = {}): CtcAlphabet {
  if (typeof vocabulary !== 'object' || vocabulary === null)
    throw vocabularyError('it is not an object of token → column');
  const entries = Object.entries(vocabulary as Record<string, unknown>);
  const names: string[] = Array.from({ length: entries.length });
  for (const [token, column] of entries) {
    if (typeof column !== 'number' || !(column in names))
      throw vocabularyError(`the column of ${JSON.stringify(token)} is out of range`);
    if (names[column] !== undefined) throw vocabularyError(`column ${column} is there twice`);
    names[column] = token;
  }
  const find = (...candidates: readonly (string | undefined)[]): number =>
    candidates.map((token) => names.indexOf(token ?? '')).find((column) => column >= 0) ?? -1;
  const blank =
    tokens.blank === undefined ? find('<pad>', '[PAD]', '_') : names.indexOf(tokens.blank);
  const space =
    tokens.wordDelimiter === undefined ? find('|', ' ') : names.indexOf(tokens.wordDelimiter);
  if (blank < 0) throw vocabularyError('it has no blank');
  if (space < 0) throw vocabularyError('it has no word boundary');
  const symbols = names.map((token, column) => {
    if (column === space) return ' ';
    return column === blank || specialToken.test(token) ? '' : token.toLowerCase();
  });
  return { symbols, blank, space };
}

/** Symbols as text: white space collapsed, none at the ends. */
export function spell(alphabet: CtcAlphabet, symbols: readonly number[]): string {
  return symbols
    .map((symbol) => alphabet.symbols[symbol] ?? '')
    .join('')
    .replace(/ +/g, ' ')
    .trim();
}

function vocabularyError(what: string): AntiphonError {
  return new AntiphonError('model-load', `vocab.json: ${what}`, {
    hint: 'Point the recogniser at the vocab.json that belongs to the model.',
  });
}
