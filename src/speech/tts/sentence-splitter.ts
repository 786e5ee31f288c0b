/**
 * Cuts a reply that is still being written into pieces to say: the first one short, so that speech begins
 * early, then sentence by sentence. Decides only on text it has seen enough of, so that how the text was
 * delivered makes no difference to where it is cut. Quotes and brackets are never waited for.
 */
import { AntiphonError } from '../../core/errors.ts';
import { startsSentence, stopAfter } from './abbreviations.ts';

/** Lengths are in UTF-16 units, the white space behind a piece not counted. */
export interface SentenceSplitterOptions {
  /** Longest piece; longer sentences are cut at a clause or between words. Default 240. */
  readonly maxChars?: number;
  /** Longest first piece. Default 60. */
  readonly firstMaxChars?: number;
  /** Words a first piece needs before a comma may end it. Default 3. */
  readonly firstMinWords?: number;
}

/** How far beyond the longest piece is looked: enough for the word behind a full stop. */
const lookAhead = 64;
/** Longest code block held back as one piece. */
const maxFence = 8192;
const connectives =
  /^(?:and|but|or|so|because|which|who|that|when|where|while|if|then|to|for|with|in|on|at|from|about|after|before)\s/i;

/** The incremental splitter of one reply after another. */
export class SentenceSplitter {
  readonly #maxChars: number;
  readonly #firstMaxChars: number;
  readonly #firstMinWords: number;
  #buffer = '';
  #first = true;

  /** @throws AntiphonError `invalid-argument` on lengths below 20. */
  constructor(options: SentenceSplitterOptions = {}) {
    this.#maxChars = options.maxChars ?? 240;
    this.#firstMaxChars = Math.min(this.#maxChars, options.firstMaxChars ?? 60);
    this.#firstMinWords = options.firstMinWords ?? 3;
    if (!(this.#firstMaxChars >= 20))
      throw new AntiphonError('invalid-argument', 'Pieces of speech must have room for words.', {
        hint: 'Give maxChars and firstMaxChars of at least 20.',
      });
  }

  /** True while text waits for its end. */
  get pending(): boolean {
    return this.#buffer !== '';
  }

  /** Takes the next increment; returns the pieces that are now complete, in order. */
  push(delta: string): string[] {
    this.#buffer += delta;
    return this.#take(false);
  }

  /** The reply is over: returns what is left, and starts afresh. */
  flush(): string[] {
    const pieces = this.#take(true);
    this.#first = true;
    return pieces;
  }

  /** Forgets what is left, for a reply that was broken off, and starts afresh. */
  reset(): void {
    this.#buffer = '';
    this.#first = true;
  }

  #take(final: boolean): string[] {
    const pieces: string[] = [];
    while (this.#buffer !== '') {
      const end = this.#end(final);
      if (end === undefined) break;
      pieces.push(this.#buffer.slice(0, end));
      this.#buffer = this.#buffer.slice(end);
      const piece = pieces.at(-1) ?? '';
      if (/[\p{L}\p{N}]/u.test(piece) && !piece.startsWith('```')) this.#first = false;
    }
    return pieces;
  }

  /** Where the piece at the front of the buffer ends; undefined: more text is needed to tell. */
  #end(final: boolean): number | undefined {
    const code = fenceEnd(this.#buffer, final);
    if (code !== 'none') return code;
    const limit = this.#first ? this.#firstMaxChars : this.#maxChars;
    const window = this.#buffer.slice(0, limit + lookAhead);
    const whole = final && window.length === this.#buffer.length;
    // Beyond the window nothing is looked at, so a full window is as good as the end of the text.
    const settled = whole || window.length === limit + lookAhead;
    // Half a surrogate pair is nothing yet.
    const text = whole ? window : window.replace(/[\ud800-\udbff]$/, '');
    for (const match of text.matchAll(boundary)) {
      const end = match.index + match[0].length;
      if (end - trailingSpace(match[0]) > limit) break;
      const ends = this.#endsAt(text.slice(0, match.index), match[0], text.slice(end), settled);
      if (ends === undefined) return undefined;
      if (ends) return end;
    }
    if (text.trimEnd().length > limit) return longCut(text, limit, this.#first);
    if (whole) return text.length;
    return settled ? longCut(text, text.length, false) : undefined;
  }

  /**
   * Whether the punctuation or line break `mark` between `before` and `next` ends a piece; undefined when
   * `next` shows too little to tell and is not `settled`.
   */
  #endsAt(before: string, mark: string, next: string, settled: boolean): boolean | undefined {
    if (next === '' && !settled) return undefined;
    const breaks = mark.includes('\n');
    if (!/[\p{L}\p{N}]/u.test(before)) {
      if (!breaks || !next.startsWith('`')) return false;
      return next.length < 3 && !settled ? undefined : next.startsWith('```');
    }
    if (/^[,;:—–，、；：]/.test(mark) && !breaks)
      return this.#first && before.length >= 10 && countWords(before) >= this.#firstMinWords;
    if (/^\p{Ll}/u.test(next)) return /\n\s*\n/.test(mark);
    if (breaks) return !(mark.startsWith('.') && listNumber.test(before));
    if (!/^\.(?!\.)/.test(mark)) return true;
    if (listNumber.test(before)) return false;
    const stop = stopAfter(/[\p{L}.]+$/u.exec(before)?.[0] ?? '');
    if (stop !== 'starter') return stop === 'usual';
    const word = /^["'“‘([*_]*([\p{L}']+)/u.exec(next);
    if (word?.[0].length === next.length && !settled) return undefined;
    return startsSentence(word?.[1] ?? '');
  }
}

/** `text` cut as a {@link SentenceSplitter} would, all at once. */
export function splitSentences(text: string, options: SentenceSplitterOptions = {}): string[] {
  const splitter = new SentenceSplitter({
    firstMaxChars: Infinity,
    firstMinWords: Infinity,
    ...options,
  });
  return [...splitter.push(text), ...splitter.flush()];
}

const closers = String.raw`["'”’»)\]}*_~」』）】]*`;
/** Everything that may end a piece, with the white space behind it. */
const boundary = new RegExp(
  String.raw`[.!?…]+${closers}\s+|[。！？｡]+${closers}\s*|[,;:—–]${closers}\s+|[，、；：]\s*|[^\S\n]*\n\s*`,
  'gu',
);

/** The number of a list item: all that stands before the full stop on its line. */
const listNumber = /(?:^|\n)\s*(?:\d{1,3}|[a-z])$/i;

function trailingSpace(text: string): number {
  return text.length - text.trimEnd().length;
}

function countWords(text: string): number {
  return (
    text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}][^\s]*/gu)
      ?.length ?? 0
  );
}

/** The end of a code block at the front of `text`; `none` when there is no code block there. */
function fenceEnd(text: string, final: boolean): number | undefined | 'none' {
  if (!text.startsWith('```')) {
    const undecided = text === '`' || text === '``';
    return undecided && !final ? undefined : 'none';
  }
  const closing = /\n[ \t]*```[^\n]*\n\s*(?=\S)/.exec(text.slice(0, maxFence));
  if (closing) return closing.index + closing[0].length;
  if (text.length >= maxFence) return safeCut(text, maxFence);
  return final ? text.length : undefined;
}

/** Where to cut text that has no natural end within `limit`: at a clause, between words, anywhere. */
function longCut(text: string, limit: number, first: boolean): number {
  const window = text.slice(0, limit + 1);
  const least = Math.floor(limit / 3);
  let clause = 0;
  let word = 0;
  let connective = 0;
  for (const match of window.matchAll(/\s+/g)) {
    const end = match.index + match[0].length;
    if (match.index === 0 || end < least) continue;
    word = end;
    if (/[,;:—–)]$/.test(window.slice(0, match.index))) clause = end;
    if (connectives.test(window.slice(end))) connective = end;
  }
  const cut = clause || (first ? connective : 0) || word;
  return cut > 0 ? cut : safeCut(text, limit);
}

/** Not between the two halves of a surrogate pair. */
function safeCut(text: string, at: number): number {
  const unit = text.charCodeAt(at - 1);
  return unit >= 0xd800 && unit <= 0xdbff && at > 1 ? at - 1 : at;
}
