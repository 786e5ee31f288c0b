/** Collects what happens in a turn until it is over: texts and the marks of its trace. */
import type { TurnSummary, TurnTrace } from './events.ts';

/** A turn in progress. */
export interface OpenTurn {
  transcript: string;
  reply: string;
  heard: string;
  interrupted: boolean;
  /** Whether speech of it is being rendered. */
  audible: boolean;
  /** Whether its reply has left the speaker: nothing more of it will be heard. */
  spoken: boolean;
  readonly marks: { -readonly [Mark in keyof TurnTrace]: TurnTrace[Mark] };
}

/** The turns in progress, few at any time: those left open by older epochs are dropped at 32. */
export class TurnLog {
  readonly #open = new Map<number, OpenTurn>();
  #latest = 0;

  /** The highest turn number seen. */
  get latest(): number {
    return this.#latest;
  }

  /** The turn's record, made on first use. */
  at(turn: number): OpenTurn {
    let open = this.#open.get(turn);
    if (!open) {
      open = {
        transcript: '',
        reply: '',
        heard: '',
        interrupted: false,
        audible: false,
        spoken: false,
        marks: {},
      };
      this.#open.set(turn, open);
      this.saw(turn);
      const oldest = this.#open.keys().next().value;
      if (this.#open.size > 32 && oldest !== undefined) this.#open.delete(oldest);
    }
    return open;
  }

  /** Notes that a number is taken. */
  saw(turn: number): void {
    this.#latest = Math.max(this.#latest, turn);
  }

  /** Begins the next turn; its number. */
  next(): number {
    this.at(this.#latest + 1);
    return this.#latest;
  }

  /** True while the turn has a record. */
  has(turn: number): boolean {
    return this.#open.has(turn);
  }

  /** The records of turns ≤ `turn`. */
  upTo(turn: number): OpenTurn[] {
    return [...this.#open].filter(([number]) => number <= turn).map(([, open]) => open);
  }

  /** Sets a mark to a Unix time in ms unless the turn has it already. */
  mark(turn: number, mark: Exclude<keyof TurnTrace, 'voiceToVoiceMs'>, atMs: number): void {
    this.at(turn).marks[mark] ??= atMs;
  }

  /** Closes the turn; undefined when it is not open or nothing was said in it by either side. */
  close(turn: number): TurnSummary | undefined {
    const open = this.#open.get(turn);
    if (!open) return undefined;
    this.#open.delete(turn);
    const { transcript, reply, heard, interrupted, marks } = open;
    if (transcript === '' && reply === '') return undefined;
    const trace: TurnTrace =
      marks.heard === undefined || marks.speechEnd === undefined
        ? { ...marks }
        : { ...marks, voiceToVoiceMs: marks.heard - marks.speechEnd };
    return { turn, transcript, reply, heard, interrupted, trace };
  }

  /** Forgets turns ≤ `turn`; numbers go on. */
  clear(turn: number): void {
    for (const number of this.#open.keys()) if (number <= turn) this.#open.delete(number);
  }
}
