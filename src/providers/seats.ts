/** So many at a time, in the order they came. */
import { abortable } from './abort.ts';

/** A counting semaphore. */
export class Seats {
  readonly #queue: (() => void)[] = [];
  #free: number;

  /** At least one seat. */
  constructor(count: number) {
    this.#free = Math.max(1, count);
  }

  /** Takes a seat, or waits for one. Rejects with `aborted` as soon as `signal` aborts; nothing is taken then. */
  async take(signal: AbortSignal): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    let leave = (): void => {};
    const free = new Promise<void>((resolve) => {
      leave = resolve;
      this.#queue.push(resolve);
    });
    try {
      await abortable(free, signal);
    } catch (error) {
      const at = this.#queue.indexOf(leave);
      if (at === -1) this.give();
      else this.#queue.splice(at, 1);
      throw error;
    }
  }

  /** Gives a seat back. */
  give(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.#free += 1;
  }
}
