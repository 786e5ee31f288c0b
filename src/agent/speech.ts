/** Handles for what the page made the assistant say. */

/** Something the assistant was told to say. */
export class Speech {
  /** The turn it took. */
  readonly turn: number;
  /** What is to be said. */
  readonly text: string;
  /** Resolves when nothing more of it will be heard; `interrupted` tells whether it was cut. Never rejects. */
  readonly played: Promise<{ readonly heard: string; readonly interrupted: boolean }>;
  #settle: (outcome: { readonly heard: string; readonly interrupted: boolean }) => void = () => {};

  constructor(turn: number, text: string) {
    this.turn = turn;
    this.text = text;
    this.played = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Settles `played`; only the first call counts. */
  settle(heard: string): void {
    this.#settle({ heard, interrupted: heard.trim() !== this.text.trim() });
  }
}

/** Speeches that have not been played yet. */
export class SpeechRegister {
  readonly #waiting = new Map<number, Speech>();
  readonly #heard = new Map<Speech, string>();

  /** Waits for a speech. */
  add(speech: Speech): void {
    this.#waiting.set(speech.turn, speech);
  }

  /** What was heard of a turn's reply; `done`: that is all. */
  heard(turn: number, text: string, done: boolean): void {
    const speech = this.#waiting.get(turn);
    if (!speech) return;
    this.#heard.set(speech, text);
    if (!done) return;
    speech.settle(text);
    this.#waiting.delete(turn);
    this.#heard.delete(speech);
  }

  /** Nothing more will be heard of turns ≤ `turn`. */
  end(turn: number): void {
    for (const speech of this.#waiting.values())
      if (speech.turn <= turn) this.heard(speech.turn, this.#heard.get(speech) ?? '', true);
  }
}
