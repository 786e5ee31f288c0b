/** Kitchen timers: set, ask, cancel; they ring by a callback. */
import { sayDuration } from './spoken-time.ts';

/** A running timer. */
export interface RunningTimer {
  readonly id: number;
  /** What it was set to, in seconds. */
  readonly seconds: number;
  /** Until it rings, in seconds. */
  readonly remaining: number;
}

/** A timer that has rung. */
export interface TimerRing {
  readonly id: number;
  readonly seconds: number;
  /** What to say: "Your five minute timer is done." */
  readonly announcement: string;
}

/** Longest timer, in seconds: a day, well inside what `setTimeout` can hold. */
export const longestTimerSeconds = 86_400;

/** Timers on the realm's `setTimeout`. Ringing needs no precision: a hidden page may be late by a second. */
export class Timers {
  readonly #now: () => number;
  readonly #running = new Map<
    number,
    { seconds: number; endsAt: number; handle: ReturnType<typeof setTimeout> }
  >();
  readonly #listeners = new Set<(ring: TimerRing) => void>();
  #lastId = 0;

  /** `now`: Unix time in ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Starts a timer. */
  set(seconds: number): RunningTimer {
    this.#lastId += 1;
    const id = this.#lastId;
    const handle = setTimeout(() => this.#ring(id, seconds), seconds * 1000);
    this.#running.set(id, { seconds, endsAt: this.#now() + seconds * 1000, handle });
    return { id, seconds, remaining: seconds };
  }

  /** Those still running, the next to ring first. */
  list(): RunningTimer[] {
    return [...this.#running]
      .map(([id, { seconds, endsAt }]) => ({
        id,
        seconds,
        remaining: Math.max(0, Math.round((endsAt - this.#now()) / 1000)),
      }))
      .sort((a, b) => a.remaining - b.remaining);
  }

  /** Stops all; says how many there were. */
  cancelAll(): number {
    const count = this.#running.size;
    for (const { handle } of this.#running.values()) clearTimeout(handle);
    this.#running.clear();
    return count;
  }

  /** Calls `listener` whenever one rings, until the returned function is called. */
  onRing(listener: (ring: TimerRing) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #ring(id: number, seconds: number): void {
    this.#running.delete(id);
    const announcement = `Your ${sayDuration(seconds, true)} timer is done.`;
    for (const listener of this.#listeners) listener({ id, seconds, announcement });
  }
}
