/** Numbers in words, both ways: "forty too" → 42 → "forty two". */
import { isLike } from './words.ts';

const units = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
];
const tens = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];
const scales: readonly (readonly [number, string])[] = [
  [1e12, 'trillion'],
  [1e9, 'billion'],
  [1e6, 'million'],
  [1e3, 'thousand'],
];

/** Words that sound like a number; they count only where a number is expected. */
const homophones: ReadonlyMap<string, number> = new Map(
  (
    [
      [0, 'oh o nought nil'],
      [1, 'won wun wan a an'],
      [2, 'to too tu tow wo'],
      [3, 'tree free thee'],
      [4, 'for fore fo'],
      [5, 'fife fiv'],
      [6, 'sicks sex sics'],
      [8, 'ate aid ait'],
      [9, 'nein nin mine'],
      [10, 'tin then tan tenn'],
      [12, 'dozen twelf'],
      [20, 'twenny tweny'],
      [30, 'thirdy'],
      [40, 'fourty fordy'],
    ] as const
  ).flatMap(([value, words]) => words.split(' ').map((word) => [word, value] as const)),
);
const never = new Set([
  'time',
  'times',
  'timer',

  'fine',
  'even',
  'live',
  'give',
  'sever',
  'plus',
  'minus',
  'by',
  'power',
  'over',
  'mile',
  'line',
  'one',
]);

const small = new Map<string, number>([
  ...units.map((word, value) => [word, value] as const),
  ...tens.flatMap((word, index) => (word === '' ? [] : [[word, index * 10] as const])),
]);

/** A number read from words, and how many words it took. */
export interface ReadNumber {
  readonly value: number;
  readonly length: number;
}

function smallNumber(words: readonly string[], at: number): ReadNumber | undefined {
  const word = words[at];
  if (word === undefined) return undefined;
  const next = words[at + 1];
  // "seven teen", "for ty": a recogniser may cut a word in two.
  const joined = next === 'teen' || next === 'ty' ? small.get(word + next) : undefined;
  if (joined !== undefined) return { value: joined, length: 2 };
  if (/^\d+$/.test(word)) return { value: Number(word), length: 1 };
  const exact = small.get(word) ?? homophones.get(word);
  if (exact !== undefined) return { value: exact, length: 1 };
  if (never.has(word) || word.length < 3) return undefined;
  for (const [name, value] of small) if (isLike(word, name)) return { value, length: 1 };
  return undefined;
}

const isScale = (word: string | undefined): number | undefined => {
  if (word === 'hundred' || (word !== undefined && isLike(word, 'hundred'))) return 100;
  return scales.find(([, name]) => isLike(word, name))?.[0];
};

/** "point five", "point one four": the digits behind the point. */
function decimals(words: readonly string[], at: number): ReadNumber | undefined {
  if (words[at] !== 'point' && words[at] !== 'dot') return undefined;
  let digits = '';
  let index = at + 1;
  for (
    let next = smallNumber(words, index);
    next && next.value < 1e6;
    next = smallNumber(words, index)
  ) {
    if (digits !== '' && (words[index] === 'to' || words[index] === 'for' || words[index] === 'a'))
      break;
    digits += String(words[index]?.match(/^\d+$/)?.[0] ?? next.value);
    index += next.length;
  }
  return digits === '' ? undefined : { value: Number(`0.${digits}`), length: index - at };
}

/** True where "to", "too", "for" after a number go on with it: "forty too", but not "forty to the power". */
function continues(words: readonly string[], at: number, value: number): boolean {
  const word = words[at];
  if (word === undefined || word === 'a' || word === 'an') return false;
  if (word === 'to' || word === 'for')
    return (
      at === words.length - 1 || (!['the', 'a', 'me'].includes(words[at + 1] ?? '') && value >= 20)
    );
  return true;
}

/**
 * Reads the number that begins at `at`, where one is expected: misspellings and words that merely sound
 * like numbers count. Undefined when there is none.
 */
export function readNumber(words: readonly string[], at: number): ReadNumber | undefined {
  let total = 0;
  let group: number | undefined;
  let index = at;
  for (;;) {
    const scale = isScale(words[index]);
    if (scale !== undefined && (group !== undefined || index === at)) {
      group = (group ?? 1) * scale;
      if (scale > 100) {
        total += group;
        group = 0;
      }
      index += 1;
      continue;
    }
    if (
      words[index] === 'and' &&
      index > at &&
      isScale(words[index - 1]) !== undefined &&
      smallNumber(words, index + 1)
    )
      index += 1;
    const next = smallNumber(words, index);
    const fits =
      group === undefined ||
      (next !== undefined &&
        continues(words, index, group) &&
        ((group >= 100 && next.value < 100) ||
          (group === 0 && total > 0) ||
          (group % 10 === 0 &&
            group % 100 >= 20 &&
            next.value > 0 &&
            next.value < 10 &&
            group < 100) ||
          (group > 100 && group % 10 === 0 && group % 100 >= 20 && next.value < 10)));
    if (!next || !fits) break;
    group = (group ?? 0) + next.value;
    index += next.length;
  }
  if (group === undefined) return undefined;
  const fraction = decimals(words, index);
  return {
    value: total + group + (fraction?.value ?? 0),
    length: index - at + (fraction?.length ?? 0),
  };
}

function sayBelowThousand(value: number): string {
  const hundreds = Math.floor(value / 100);
  const rest = value % 100;
  const parts = hundreds > 0 ? [`${units[hundreds]} hundred`] : [];
  if (rest > 0 && rest < 20) parts.push(units[rest] ?? '');
  else if (rest >= 20)
    parts.push(
      [tens[Math.floor(rest / 10)], rest % 10 === 0 ? '' : units[rest % 10]].join(' ').trim(),
    );
  return parts.join(' and ');
}

function sayWhole(value: number): string {
  if (value === 0) return 'zero';
  const parts: string[] = [];
  let rest = value;
  for (const [size, name] of scales) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${sayBelowThousand(count)} ${name}`);
    rest %= size;
  }
  if (rest > 0)
    parts.push(
      rest < 100 && parts.length > 0 ? `and ${sayBelowThousand(rest)}` : sayBelowThousand(rest),
    );
  return parts.join(' ');
}

/** The number in words, to four decimals; beyond 10^15 in digits. */
export function sayNumber(value: number): string {
  const rounded = Number(value.toFixed(4));
  if (Math.abs(rounded) >= 1e15) return String(rounded);
  const [whole = '0', fraction] = Math.abs(rounded).toString().split('.');
  const digits =
    fraction === undefined
      ? ''
      : ` point ${Array.from(fraction, (digit) => units[Number(digit)]).join(' ')}`;
  return `${rounded < 0 ? 'minus ' : ''}${sayWhole(Number(whole))}${digits}`;
}

/** "first", "twenty second"…: the ordinal in words, 1…99. */
export function sayOrdinal(value: number): string {
  const words = sayNumber(value).split(' ');
  const last = words.pop() ?? '';
  const irregular: Readonly<Record<string, string>> = {
    one: 'first',
    two: 'second',
    three: 'third',
    five: 'fifth',
    eight: 'eighth',
    nine: 'ninth',
    twelve: 'twelfth',
  };
  words.push(irregular[last] ?? (last.endsWith('y') ? `${last.slice(0, -1)}ieth` : `${last}th`));
  return words.join(' ');
}
