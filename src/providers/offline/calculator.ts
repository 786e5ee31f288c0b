/** A calculator for written expressions: + − * / % ^ sqrt, parentheses, the usual precedence. */
import { AntiphonError } from '../../core/errors.ts';

const tokenPattern = /\s*(?:(\d+(?:\.\d+)?|\.\d+)|(sqrt)|([-+*/%^()]))/y;

function tokensOf(expression: string): string[] {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  const text = expression.trimEnd();
  while (tokenPattern.lastIndex < text.length) {
    const match = tokenPattern.exec(text);
    if (!match) throw calculationError(`"${expression}" is not a calculation`);
    tokens.push(match[1] ?? match[2] ?? match[3] ?? '');
  }
  return tokens;
}

function calculationError(message: string): AntiphonError {
  return new AntiphonError('tool', message, {
    hint: 'Use numbers, + - * / % ^ sqrt and parentheses.',
  });
}

/** Recursive descent; each method is one level of precedence. */
class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(expression: string) {
    this.#tokens = tokensOf(expression);
  }

  parse(): number {
    const value = this.#sum();
    if (this.#at < this.#tokens.length)
      throw calculationError(`"${this.#tokens[this.#at]}" is in the wrong place`);
    return value;
  }

  #accept(...tokens: readonly string[]): string | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined || !tokens.includes(token)) return undefined;
    this.#at += 1;
    return token;
  }

  #sum(): number {
    let value = this.#product();
    for (let sign = this.#accept('+', '-'); sign !== undefined; sign = this.#accept('+', '-'))
      value = sign === '+' ? value + this.#product() : value - this.#product();
    return value;
  }

  #product(): number {
    let value = this.#signed();
    for (
      let sign = this.#accept('*', '/', '%');
      sign !== undefined;
      sign = this.#accept('*', '/', '%')
    ) {
      const right = this.#signed();
      if (sign !== '*' && right === 0) throw calculationError('division by zero');
      if (sign === '*') value *= right;
      else if (sign === '/') value /= right;
      else value %= right;
    }
    return value;
  }

  #signed(): number {
    if (this.#accept('-') !== undefined) return -this.#signed();
    return this.#power();
  }

  #power(): number {
    const base = this.#atom();
    return this.#accept('^') === undefined ? base : base ** this.#signed();
  }

  #atom(): number {
    if (this.#accept('sqrt') !== undefined) {
      const value = this.#accept('-') === undefined ? this.#atom() : -this.#atom();
      if (value < 0) throw calculationError('no square root of a negative number');
      return Math.sqrt(value);
    }
    if (this.#accept('(') !== undefined) {
      const value = this.#sum();
      if (this.#accept(')') === undefined) throw calculationError('a parenthesis is missing');
      return value;
    }
    const token = this.#tokens[this.#at];
    const value = Number(token ?? 'none');
    if (Number.isNaN(value))
      throw calculationError(
        token === undefined
          ? 'the calculation is not complete'
          : `"${token}" is in the wrong place`,
      );
    this.#at += 1;
    return value;
  }
}

/**
 * The value of an expression such as `17 + 25 * 2` or `sqrt(16) / 100`.
 *
 * @throws `tool` for what is no calculation, for division by zero and for results beyond all numbers.
 */
export function calculate(expression: string): number {
  const value = new Parser(expression).parse();
  if (!Number.isFinite(value)) throw calculationError('the result is too big');
  // 0.1 + 0.2: what binary fractions add is below what anybody asks for.
  return Number(value.toPrecision(14));
}
