/** Waits for replies to begin: a server that says nothing counts as dead. */
import { AntiphonError } from '../../../core/errors.ts';
import { sleep, type Clock } from '../../../core/time.ts';
import type { DuplexLane } from './lane.ts';

/** One clock a turn. */
export class DuplexPatience {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #onLate: (lane: DuplexLane, error: AntiphonError) => void;
  readonly #waiting = new Map<number, AbortController>();

  /** `onLate`: no reply to the turn began within `ms`. */
  constructor(clock: Clock, ms: number, onLate: (lane: DuplexLane, error: AntiphonError) => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#onLate = onLate;
  }

  /** A reply to the turn is to begin from now on. */
  begin(lane: DuplexLane): void {
    this.end(lane.turn);
    const patience = new AbortController();
    this.#waiting.set(lane.turn, patience);
    const late = (): void => {
      if (!lane.isAwaiting) return;
      const hint = 'Check the network; the session is opened anew.';
      const message = `No reply began within ${this.#ms} ms.`;
      this.#onLate(lane, new AntiphonError('provider-timeout', message, { hint, retryable: true }));
    };
    sleep(this.#clock, this.#ms, patience.signal).then(late, () => {});
  }

  /** It began, or is not waited for any more. */
  end(turn: number): void {
    this.#waiting.get(turn)?.abort();
    this.#waiting.delete(turn);
  }

  /** Nobody is waited for. */
  endAll(): void {
    for (const turn of this.#waiting.keys()) this.end(turn);
  }
}
