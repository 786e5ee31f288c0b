/**
 * What is said for a written text. A reply of a language model is Markdown with links, emoji and code;
 * this makes words of it that a voice can say, and keeps for every word the writing it stands for.
 */

/** A piece of the written text and what to say for it. */
export interface SpeakableWord {
  /** As written, with the white space that follows; all pieces together are the whole text. */
  readonly text: string;
  /** What to say, words separated by single spaces; empty for what is silent. */
  readonly spoken: string;
}

type Replace = (match: RegExpExecArray, text: string) => string | undefined;

/** A pattern and what is said instead of it: undefined leaves it as it is and to later rules. */
type Rule = readonly [pattern: RegExp, replace: Replace];

const silence: Replace = () => '';
const say =
  (what: string): Replace =>
  () =>
    ` ${what} `;
const dotted = (host: string): string => host.replaceAll('.', ' dot ');
const money: Readonly<Record<string, string>> = { '€': 'euros', '£': 'pounds', '¥': 'yen' };
const fence = /^[ \t]*(```|~~~)[^\n]*(?:\n[\s\S]*?)?(?:^[ \t]*\1[^\n]*|(?![\s\S]))/gm;

/** In order of precedence; what one rule has taken, later ones leave alone. */
const rules: readonly Rule[] = [
  [fence, silence],
  [/<!--[\s\S]*?-->|<\/?[a-z][a-z0-9-]*(?:\s[^<>]*)?\/?>/gi, silence],
  // Links and images: the label stays, the address is silent.
  [/!?\[(?=[^\]\n]*\]\()/g, silence],
  [/\]\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+"[^"]*")?\)/g, silence],
  // Bare addresses: the host is said.
  [/<(?=(?:https?:\/\/|[\w.+-]+@)[^<>\s]*>)|(?<=<(?:https?:\/\/|[\w.+-]+@)[^<>\s]*)>/g, silence],
  [
    /\b(?:https?:\/\/|www\.)([^\s<>()/]*[^\s<>()/.,;:!?'"\]])(?:\/(?:[^\s<>()]*[^\s<>().,;:!?'"\]])?)?/gi,
    (match) => dotted((match[1] ?? '').replace(/^www\./i, '')),
  ],
  [
    /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g,
    (match) => dotted(match[0].replace('@', ' at ').replaceAll('_', ' underscore ')),
  ],
  // Marks at the start of a line: rules, table frames, headings, quotes, bullets.
  [/^[ \t]*([-*_])(?:[ \t]*\1){2,}[ \t]*$/gm, silence],
  [/^[ \t]*\|?[ \t]*:?-{3,}:?[ \t|:-]*$/gm, silence],
  [/^[ \t]*#{1,6}(?=[ \t])/gm, silence],
  [/^[ \t]*>+(?=[ \t])/gm, silence],
  [/^[ \t]*[-*+•‣–](?=[ \t])/gm, silence],
  [/^[ \t]*\|/gm, silence],
  [/\|/g, () => ','],
  [
    /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\u200d|\ufe0e|\ufe0f|\u20e3/gu,
    silence,
  ],
  // Amounts and arithmetic.
  [/([€£¥])\s?(\d[\d.,]*\d|\d)/g, (match) => `${match[2]} ${money[match[1] ?? '']}`],
  [/°\s?C\b/g, say('degrees Celsius')],
  [/°\s?F\b/g, say('degrees Fahrenheit')],
  [/°/g, say('degrees')],
  [/(?<=\d)\s?[*×]\s?(?=\d)|×/g, say('times')],
  [/÷/g, say('divided by')],
  [/±/g, say('plus or minus')],
  [/≈|~(?=\d)/g, say('about')],
  [/<=|≤/g, say('at most')],
  [/>=|≥/g, say('at least')],
  [/[-=]>|→/g, say('to')],
  [/≠|!=/g, say('is not')],
  [/==?/g, say('equals')],
  [/</g, say('less than')],
  [/>/g, say('greater than')],
  [/(?<=[\s\d]|^)\+(?=[\s\d]|$)/g, say('plus')],
  [/#(?=\d)/g, say('number')],
  [/&/g, say('and')],
  [/(?<=\d)\s?[-–—]\s?(?=\d+(?![\d-]))(?<!\d-\d+\s?-)/g, say('to')],
  // Punctuation a voice makes a pause of.
  [/\.{2,}|…|[—–]|(?<=\s)-+(?=\s)/g, () => ', '],
  [/(?<=\p{Ll}{2})\.(?=\p{Lu}\p{Ll})/gu, () => '. '],
  [/(?<=\p{L}{2})\.(?=\p{L}{2})/gu, say('dot')],
  // What is left of emphasis, code marks and brackets.
  [/(?<=[\p{L}\p{N}])_(?=[\p{L}\p{N}])/gu, () => ' '],
  [/[*_~`^\\{}[\]]/g, silence],
];

/** Han, kana and Hangul are written without spaces: each sign is a word of its own. */
const sign = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}`;
const written = new RegExp(
  String.raw`\s*(?:[${sign}][^\s${sign}\p{L}\p{N}]*|(?:(?![${sign}])\S)+)\s*`,
  'gu',
);

/**
 * The words of `text` in order, each with what to say for it. The `text` of all words together is
 * exactly `text`. Code blocks, emoji, addresses of links and Markdown marks are silent.
 */
export function speakable(text: string): SpeakableWord[] {
  const said = applyRules(text);
  const words: { text: string; spoken: string }[] = [];
  for (const match of text.matchAll(written)) {
    const [piece] = match;
    const spoken = said
      .slice(match.index, match.index + piece.length)
      .join('')
      .replace(/\s+/g, ' ')
      .replace(/ (?=[,.;:!?])/g, '')
      .trim();
    const previous = words.at(-1);
    if (/[\p{L}\p{N}%$+@#]/u.test(spoken)) {
      const closes = /\n/.test(piece.trimStart()) && !/[.,;:!?]["')]*$/.test(spoken);
      words.push({ text: piece, spoken: spoken.replace(/^[,;:.]+ ?/, '') + (closes ? ',' : '') });
    } else {
      // A dash of its own is a pause after the word before it.
      if (
        previous !== undefined &&
        /[,;:.!?]/.test(spoken) &&
        /[\p{L}\p{N}]$/u.test(previous.spoken)
      )
        previous.spoken += ',';
      words.push({ text: piece, spoken: '' });
    }
  }
  if (words.length === 0 && text !== '') words.push({ text, spoken: '' });
  return words;
}

/** For every UTF-16 unit of `text` what is said for it; a replacement sits at the first one it replaces. */
function applyRules(text: string): string[] {
  const said = text.split('');
  const taken = new Uint8Array(text.length);
  for (const [pattern, replace] of rules) {
    for (const match of text.matchAll(pattern)) {
      const end = match.index + match[0].length;
      if (match[0] === '' || taken.subarray(match.index, end).includes(1)) continue;
      const by = replace(match, text);
      if (by === undefined) continue;
      said.fill('', match.index, end);
      said[match.index] = by;
      taken.fill(1, match.index, end);
    }
  }
  return said;
}
