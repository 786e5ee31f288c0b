/** One counter for the turns of several speakers, each of whom counts from 1. */

/**
 * A turn gets its number when it is first heard of. Turns that are over have rising numbers in the order in which they
 * ended, for an answer to one voids all before it: a turn that was begun earlier than another and ends later gets
 * a new number at its end.
 */
export class TrackTurns {
  readonly #numbers = new Map<string, number>();
  #highest = 0;
  #over = 0;

  /** The highest number of a turn that is over or void. */
  get over(): number {
    return this.#over;
  }

  /** A number was given by somebody else. */
  saw(turn: number): void {
    this.#highest = Math.max(this.#highest, turn);
  }

  /** Turns up to this one are over, or void. */
  passed(turn: number): void {
    this.saw(turn);
    this.#over = Math.max(this.#over, turn);
  }

  /** The number of turn `local` of a track; its own where it is no turn (0). */
  of(track: string, local: number): number {
    if (local <= 0) return local;
    const key = `${local} ${track}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#highest += 1;
    this.#numbers.set(key, this.#highest);
    return this.#highest;
  }

  /** The number under which turn `local` of a track ends; forgets it. */
  end(track: string, local: number): number {
    const begun = this.of(track, local);
    this.forget(track, local);
    if (begun <= this.#over) this.#highest += 1;
    const turn = begun <= this.#over ? this.#highest : begun;
    this.passed(turn);
    return turn;
  }

  /** The turn came to nothing. */
  forget(track: string, local: number): void {
    this.#numbers.delete(`${local} ${track}`);
  }
}
