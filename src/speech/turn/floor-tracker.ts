/** Keeps account of who has the floor, from what playback, scribe and page report. */
import type { FloorMessage } from '../../audio/floor.ts';
import type { FloorState } from './interruption.ts';
import type { Loudspeaker } from './speech-detector.ts';

/** What the assistant is doing, and which turn numbers are taken. */
export class FloorTracker {
  readonly #firstPlaybackMs: number;
  #latest = 0;
  #voided = 0;
  /** Turns whose reply is awaited, in the order in which replies come. */
  #awaited: readonly number[] = [];
  #audible: number | undefined;
  #paused = false;
  #audibleMs = 0;
  #duckedAt: number | undefined;

  /** @param firstPlaybackMs how much of the first playback counts as such */
  constructor(firstPlaybackMs: number) {
    this.#firstPlaybackMs = firstPlaybackMs;
  }

  /** The highest turn number seen. */
  get latest(): number {
    return this.#latest;
  }

  /** A reply that is being heard (or held by a pause) makes `speaking`; one that is awaited, `thinking`. */
  get state(): FloorState {
    if (this.#audible !== undefined) return 'speaking';
    return this.#awaited.length === 0 ? 'listening' : 'thinking';
  }

  /** What the microphone may pick up besides the person. */
  get loudspeaker(): Loudspeaker {
    if (this.#audible === undefined || this.#paused) return 'silent';
    return this.#audibleMs < this.#firstPlaybackMs ? 'first-playback' : 'audible';
  }

  /** Whether playback was told to pause. */
  get paused(): boolean {
    return this.#paused;
  }

  set paused(paused: boolean) {
    this.#paused = paused;
  }

  /** When the worklet ducked the voice by its own judgement, ms on the capture clock; undefined: it did not, or it was dealt with. */
  get duckedAt(): number | undefined {
    return this.#duckedAt;
  }

  /** The duck was confirmed or lifted. */
  settleDuck(): void {
    this.#duckedAt = undefined;
  }

  /** Takes the next number for a turn of the person. */
  nextTurn(): number {
    this.#latest += 1;
    return this.#latest;
  }

  /** The person's turn is over: a reply to it is awaited. */
  awaitReply(turn: number): void {
    this.#awaited = [...this.#awaited, turn];
  }

  /** Everything of turns ≤ `turn` is void; reports about it that are still under way count for nothing. */
  void(turn: number): void {
    this.#voided = turn;
    this.#awaited = this.#awaited.filter((awaited) => awaited > turn);
    if (this.#audible !== undefined && this.#audible <= turn) this.#hush();
    this.#duckedAt = undefined;
  }

  /** `ms` of audio passed. */
  advance(ms: number): void {
    if (this.loudspeaker !== 'silent') this.#audibleMs += ms;
  }

  /** Takes a report; turns that no longer count are passed over. */
  report(message: FloorMessage): void {
    if (message.type === 'turn') this.#taken(message.turn);
    else if (message.type === 'audible') this.#heard(message.turn);
    else if (message.type === 'silent') {
      if (message.turn === this.#audible) this.#hush();
      this.#duckedAt = undefined;
    } else if (message.type === 'ducked') this.#duckedAt = message.at;
    else if (message.type === 'words') this.#understood(message.turn, message.text, message.final);
  }

  #taken(turn: number): void {
    this.#latest = Math.max(this.#latest, turn);
    this.awaitReply(turn);
  }

  /** A pause is over with the voice that it held. */
  #hush(): void {
    this.#audible = undefined;
    this.#paused = false;
  }

  #heard(turn: number): void {
    if (turn <= this.#voided) return;
    this.#latest = Math.max(this.#latest, turn);
    this.#audible = turn;
    // Those before it had none.
    const place = this.#awaited.indexOf(turn);
    this.#awaited =
      place < 0
        ? this.#awaited.filter((awaited) => awaited > turn)
        : this.#awaited.slice(place + 1);
  }

  /** Where nothing was understood, no reply will come. */
  #understood(turn: number, text: string, final: boolean): void {
    if (final && text.trim() === '')
      this.#awaited = this.#awaited.filter((awaited) => awaited !== turn);
  }
}
