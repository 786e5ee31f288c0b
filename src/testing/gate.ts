/** Holds up a scripted engine until the test lets it go on. */
import { deferred } from '../core/deferred.ts';
import { abortedError } from '../core/errors.ts';

/** Made by {@link gate}. */
export interface Gate {
  /** Resolves when somebody has come to the gate for the first time. */
  readonly reached: Promise<void>;
  /** How many wait before it. */
  readonly waiting: number;
  /** Lets everybody through, now and later. */
  open(): void;
  /** Waits until it is open; rejects with `aborted` as soon as `signal` aborts. */
  pass(signal?: AbortSignal): Promise<void>;
}

/**
 * A closed gate, to be put into the script of an engine.
 *
 * @example
 * const answer = gate();
 * const provider = scriptedProvider([[reply.gate(answer), 'Hello.']]);
 * await answer.reached; // the stage is waiting for the model
 * answer.open();
 */
export function gate(): Gate {
  const opened = deferred<void>();
  const reached = deferred<void>();
  let waiting = 0;
  return {
    reached: reached.promise,
    get waiting() {
      return waiting;
    },
    open: () => opened.resolve(),
    async pass(signal) {
      reached.resolve();
      waiting += 1;
      let abort = (): void => {};
      const aborted = new Promise<never>((_, reject) => {
        abort = () => reject(abortedError());
      });
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort, { once: true });
      try {
        await Promise.race([opened.promise, aborted]);
      } finally {
        waiting -= 1;
        signal?.removeEventListener('abort', abort);
      }
    },
  };
}
