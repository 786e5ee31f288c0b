/** Spoken arithmetic → an expression for the calculator: "twenty percent of eighty" → `( 20 / 100 ) * 80`. */
import { readNumber } from './number-words.ts';
import { isLike } from './words.ts';

/** A way to say an operator: its words, and its sign. The longest that fits counts. */
const operators: readonly (readonly [words: readonly string[], sign: string])[] = [
  [['to', 'the', 'power', 'of'], '^'],
  [['to', 'the', 'power'], '^'],
  [['multiplied', 'by'], '*'],
  [['multiply', 'by'], '*'],
  [['divided', 'by'], '/'],
  [['divide', 'by'], '/'],
  [['take', 'away'], '-'],
  [['multiplied'], '*'],
  [['divided'], '/'],
  [['modulo'], '%'],
  [['plus'], '+'],
  [['minus'], '-'],
  [['times'], '*'],
];
const exactOperators: Readonly<Record<string, string>> = {
  time: '*',
  x: '*',
  over: '/',
  less: '-',
  mod: '%',
  add: '+',
  plas: '+',
  pus: '+',
  mines: '-',
  '(': '(',
  ')': ')',
};
/** "add five and six", "subtract two from ten": the words before, and what joins the two numbers. */
const commands: readonly (readonly [
  verb: string,
  joints: readonly string[],
  sign: string,
  swapped: boolean,
])[] = [
  ['add', ['and', 'to', 'plus', 'with'], '+', false],
  ['sum', ['and'], '+', false],
  ['subtract', ['from'], '-', true],
  ['difference', ['and'], '-', false],
  ['multiply', ['by', 'with', 'and', 'times'], '*', false],
  ['product', ['and'], '*', false],
  ['divide', ['by'], '/', false],
];
/** Words before an operand that stand for a factor. */
const factors: readonly (readonly [words: readonly string[], expression: string])[] = [
  [['half', 'of'], '0.5 *'],
  [['a', 'half', 'of'], '0.5 *'],
  [['a', 'third', 'of'], '( 1 / 3 ) *'],
  [['a', 'quarter', 'of'], '0.25 *'],
  [['double'], '2 *'],
  [['twice'], '2 *'],
  [['triple'], '3 *'],
  [['minus'], '-'],
  [['negative'], '-'],
  [['the', 'square', 'root', 'of'], 'sqrt'],
  [['square', 'root', 'of'], 'sqrt'],
  [['the', 'square', 'root'], 'sqrt'],
  [['square', 'root'], 'sqrt'],
  [['root', 'of'], 'sqrt'],
];
const suffixes: readonly (readonly [word: string, expression: string])[] = [
  ['squared', '^ 2'],
  ['cubed', '^ 3'],
  ['percent', '/ 100'],
];

/** How many words of `phrase` stand at `at`: all of them or none. */
function phraseAt(words: readonly string[], at: number, phrase: readonly string[]): number {
  return phrase.every((word, index) => isLike(words[at + index], word)) ? phrase.length : 0;
}

class Reader {
  readonly #words: readonly string[];
  readonly parts: string[] = [];
  at = 0;
  operators = 0;
  operands = 0;
  unknown = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  get done(): boolean {
    return this.at >= this.#words.length;
  }

  /** Reads a number with what may stand before and behind it; false when there is none here. */
  operand(): boolean {
    for (const [phrase, expression] of factors) {
      const length = phraseAt(this.#words, this.at, phrase);
      if (length === 0) continue;
      const before = this.at;
      this.at += length;
      this.parts.push(expression);
      if (this.nextOperand()) {
        if (expression !== '-') this.operators += 1;
        return true;
      }
      this.parts.pop();
      this.at = before;
    }
    if (this.#words[this.at] === '(') {
      this.parts.push('(');
      this.at += 1;
      return this.operand();
    }
    const number = readNumber(this.#words, this.at);
    if (!number) return false;
    this.at += number.length;
    this.operands += 1;
    const half = this.#words.slice(this.at, this.at + 3).join(' ') === 'and a half';
    if (half) this.at += 3;
    this.#withSuffix(String(number.value + (half ? 0.5 : 0)));
    return true;
  }

  /** Reads the operand behind an operator; a word of one or two letters before it is a misheard "of" or "by". */
  nextOperand(): boolean {
    if (this.operand()) return true;
    if ((this.#words[this.at] ?? 'none').length > 2) return false;
    this.at += 1;
    return this.operand();
  }

  #withSuffix(number: string): void {
    const suffix = suffixes.find(([word]) => isLike(this.#words[this.at], word));
    const twoWords = this.#words[this.at] === 'per' && isLike(this.#words[this.at + 1], 'cent');
    const expression = twoWords ? '/ 100' : suffix?.[1];
    if (expression === undefined) {
      this.parts.push(number);
      return;
    }
    this.at += twoWords ? 2 : 1;
    this.operators += 1;
    this.parts.push(`( ${number} ${expression} )`);
    if (expression !== '/ 100' || (this.#words[this.at] ?? 'none').length > 2) return;
    // "twenty percent of …"
    this.parts.push('*');
    const before = this.at;
    this.at += 1;
    if (this.operand()) return;
    this.parts.pop();
    this.at = before;
  }

  /** Reads an operator; false when there is none here. */
  operator(): boolean {
    const word = this.#words[this.at] ?? '';
    const exact = Object.hasOwn(exactOperators, word) ? exactOperators[word] : undefined;
    const [sign, length] =
      exact === undefined
        ? (operators
            .map(([phrase, sign]) => [sign, phraseAt(this.#words, this.at, phrase)] as const)
            .find(([, length]) => length > 0) ?? ['', 0])
        : [exact, 1];
    if (length === 0) return false;
    this.at += length;
    this.parts.push(sign);
    if (sign !== '(' && sign !== ')') this.operators += 1;
    return true;
  }
}

const fillers: ReadonlySet<string> = new Set(['the', 'of', 'between', 'up', 'together']);

function command(words: readonly string[]): string | undefined {
  for (const [verb, joints, sign, swapped] of commands) {
    const begin = words.findIndex((word) => isLike(word, verb));
    if (begin === -1) continue;
    const rest = words.slice(begin + 1);
    while (fillers.has(rest[0] ?? '')) rest.shift();
    // A joint such as "to" sounds like a number: cut there before reading.
    for (const [cut, word] of rest.entries()) {
      if (cut === 0 || !joints.includes(word)) continue;
      const left = new Reader(rest.slice(0, cut));
      const right = new Reader(rest.slice(cut + 1));
      if (!left.operand() || !left.done || !right.operand()) continue;
      const [a, b] = swapped ? [right, left] : [left, right];
      return `( ${a.parts.join(' ')} ) ${sign} ( ${b.parts.join(' ')} )`;
    }
  }
  return undefined;
}

/** A calculation found in a sentence. `continued`: it begins with an operator and goes on from the last result. */
export interface SpokenArithmetic {
  readonly expression: string;
  readonly continued: boolean;
}

/** The calculation in a sentence; undefined when there is none, or too much else. */
export function spokenArithmetic(words: readonly string[]): SpokenArithmetic | undefined {
  const commanded = command(words);
  if (commanded !== undefined) return { expression: commanded, continued: false };
  for (let begin = 0; begin < words.length; begin += 1) {
    const found = readFrom(words, begin);
    if (found) return found;
  }
  return undefined;
}

function readFrom(words: readonly string[], begin: number): SpokenArithmetic | undefined {
  const reader = new Reader(words.slice(begin));
  // "minus five plus three" begins with a number, "and minus five" and a bare "minus five" go on.
  const isSign = words[begin] === 'minus' && words[0] !== 'and' && words.length - begin > 3;
  const continued =
    begin <= 1 &&
    !isSign &&
    !readNumber(words, begin) &&
    reader.operator() &&
    reader.parts[0] !== '(';
  if (!continued && reader.parts.length > 0) return undefined;
  if (!reader.operand()) return undefined;
  let complete = { length: reader.parts.length, operators: reader.operators };
  while (!reader.done) {
    if (reader.operator()) {
      if (reader.parts.at(-1) === ')') {
        complete = { length: reader.parts.length, operators: reader.operators };
        continue;
      }
      if (!reader.nextOperand()) break;
      complete = { length: reader.parts.length, operators: reader.operators };
    } else {
      reader.at += 1;
      reader.unknown += 1;
      if (reader.unknown > 4) break;
    }
  }
  if (complete.operators === 0) return undefined;
  return { expression: reader.parts.slice(0, complete.length).join(' '), continued };
}
