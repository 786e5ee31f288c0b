/** A reply as text that lights up word by word as it is heard; what an interruption cut off is struck. */
import { make } from '../dom.ts';

interface Word {
  readonly element: HTMLElement;
  /** The white space behind it. */
  readonly gap: Text;
  /** Where it starts in the reply, in UTF-16 units. */
  start: number;
}

/** How much of the reply has been heard, in words. */
export interface Heard {
  readonly words: number;
  readonly of: number;
}

/** The words of one reply. */
export class SpokenText {
  readonly element: HTMLElement = make('p', 'words');
  readonly #words: Word[] = [];
  #text = '';
  #heard = '';
  #lit = 0;

  /** The whole reply so far; grows as the model writes. */
  setText(text: string): void {
    if (text === this.#text) return;
    this.#text = text;
    let index = 0;
    for (const match of text.matchAll(/(\S+)(\s*)/gu)) {
      const [, letters = '', space = ''] = match;
      const word = this.#words[index] ?? this.#addWord();
      word.start = match.index;
      if (word.element.textContent !== letters) word.element.textContent = letters;
      if (word.gap.data !== space) word.gap.data = space;
      index += 1;
    }
    for (const word of this.#words.splice(index)) {
      word.element.remove();
      word.gap.remove();
    }
    this.#light();
  }

  /** The part that reached the listener's ear. */
  setHeard(heard: string, done: boolean): void {
    if (!done && this.element.hasAttribute('data-done')) return;
    this.#heard = heard;
    this.#light();
    this.element.toggleAttribute('data-done', done);
    if (done) this.#words[this.#lit - 1]?.element.removeAttribute('data-current');
  }

  /** Marks the rest as never heard. */
  cut(): void {
    this.element.toggleAttribute('data-cut', true);
    this.#words[this.#lit - 1]?.element.removeAttribute('data-current');
  }

  /** Shows all of it as heard; for replies stored without a record of hearing. */
  settle(): void {
    this.setHeard(this.#text, true);
  }

  /** Words heard, of all words. */
  get heard(): Heard {
    return { words: this.#lit, of: this.#words.length };
  }

  /** The reply as text. */
  get text(): string {
    return this.#text;
  }

  #addWord(): Word {
    const word = { element: make('span', 'word'), gap: new Text(), start: 0 };
    this.element.append(word.element, word.gap);
    this.#words.push(word);
    return word;
  }

  #light(): void {
    const lit = this.#wordsIn(this.#heard);
    for (let index = Math.min(lit, this.#lit); index < Math.max(lit, this.#lit); index++)
      this.#words[index]?.element.toggleAttribute('data-heard', index < lit);
    this.#words[this.#lit - 1]?.element.removeAttribute('data-current');
    this.#lit = lit;
    if (!this.element.hasAttribute('data-done') && !this.element.hasAttribute('data-cut'))
      this.#words[lit - 1]?.element.toggleAttribute('data-current', true);
  }

  /** How many words a heard prefix covers; counted where it differs from the reply in white space. */
  #wordsIn(heard: string): number {
    const end = heard.trimEnd().length;
    if (!this.#text.startsWith(heard.trimEnd()))
      return Math.min(this.#words.length, heard.match(/\S+/gu)?.length ?? 0);
    const first = this.#words.findIndex((word) => word.start >= end);
    return first === -1 ? this.#words.length : first;
  }
}
