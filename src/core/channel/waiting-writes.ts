/** Writes that wait for room, in order; shared by the channel of one thread and the one over a port. */
import { toAntiphonError } from '../errors.ts';

interface Waiting<T> {
  readonly value: T;
  resolve(): void;
  reject(reason: unknown): void;
}

/** A line of writes whose promises settle when their turn comes. */
export class WaitingWrites<T> {
  readonly #onLeave: () => void;
  #line: Waiting<T>[] = [];

  /** @param onLeave told when an abort took a write out of the line: an owner that waits for the last has no other sign. */
  constructor(onLeave: () => void = () => {}) {
    this.#onLeave = onLeave;
  }

  /** How many wait. */
  get length(): number {
    return this.#line.length;
  }

  /** Joins the line; rejects with code `aborted`, leaving it, when `signal` aborts first. */
  add(value: T, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(toAntiphonError(signal.reason, 'aborted'));
        return;
      }
      const leave = (): void => {
        this.#line = this.#line.filter((other) => other !== waiting);
        reject(toAntiphonError(signal?.reason, 'aborted'));
        this.#onLeave();
      };
      const waiting: Waiting<T> = {
        value,
        resolve: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
        reject: (reason) => {
          signal?.removeEventListener('abort', leave);
          reject(reason);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#line.push(waiting);
    });
  }

  /** Sends those at the front for as long as `send` takes them; one whose `send` throws is rejected. */
  drain(send: (value: T) => boolean): void {
    for (let first = this.#line.shift(); first; first = this.#line.shift()) {
      try {
        if (!send(first.value)) {
          this.#line.unshift(first);
          return;
        }
        first.resolve();
      } catch (error) {
        first.reject(error);
      }
    }
  }

  /** Rejects them all. */
  rejectAll(reason: unknown): void {
    for (const waiting of this.#line.splice(0)) waiting.reject(reason);
  }
}
