/** Lets a reply out as far as it is sure to be acceptable. */
import type { TextElement } from '../../core/element.ts';
import type { TextJudge, Violation } from './text-judge.ts';

/** One reply that is streaming. */
export class ReplyGate {
  readonly #judge: TextJudge;
  #text = '';
  #released = 0;
  #violation: Violation | undefined;
  #last: TextElement;
  /** What was said instead of the rest, once the reply has been cut. */
  ending = '';

  /** `first`: an increment of the reply; what is let out looks like the newest. */
  constructor(judge: TextJudge, first: TextElement) {
    this.#judge = judge;
    this.#last = first;
  }

  /** All that came in. */
  get text(): string {
    return this.#text;
  }

  /** Set once the reply has been cut off. */
  get violation(): Violation | undefined {
    return this.#violation;
  }

  /** What was let out. */
  get released(): string {
    return this.#text.slice(0, this.#released);
  }

  /** Takes the next increment; gives what may be let out now, if anything, and why nothing will follow it. */
  push(delta: TextElement): {
    readonly released: TextElement | undefined;
    readonly violation: Violation | undefined;
  } {
    this.#text += delta.text;
    this.#last = delta;
    if (this.#violation || this.#judge.needsAll)
      return { released: undefined, violation: undefined };
    const { safe, violation } = this.#judge.scan(this.#text, false);
    this.#violation = violation;
    return { released: this.release(safe), violation };
  }

  /** Lets out what lies before `end` and was not let out yet. */
  release(end: number): TextElement | undefined {
    if (end <= this.#released) return undefined;
    const text = this.#text.slice(this.#released, end);
    this.#released = end;
    return this.say(text);
  }

  /** An increment of this reply with a text of its own. */
  say(text: string): TextElement {
    return { ...this.#last, text };
  }
}
