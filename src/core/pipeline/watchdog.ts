/** Ends a run in which nothing moves any more, or that takes too long. */
import { AntiphonError } from '../errors.ts';
import type { ResolvedConfig } from './config.ts';

/** Quiet parts of the idle time that must pass in a row: a touch costs one assignment, not a timer. */
const quietParts = 4;

/** Watches from its making until `stop`. */
export class Watchdog {
  #touched = false;
  #idle: ReturnType<typeof setInterval> | undefined;
  #execution: ReturnType<typeof setTimeout> | undefined;

  /** @param bark told of `idle-timeout` or `execution-timeout`, once. */
  constructor(
    { idleTimeoutMs, executionTimeoutMs }: ResolvedConfig,
    bark: (error: AntiphonError) => void,
  ) {
    let quiet = 0;
    if (idleTimeoutMs > 0)
      this.#idle = setInterval(() => {
        quiet = this.#touched ? 0 : quiet + 1;
        this.#touched = false;
        if (quiet < quietParts) return;
        this.stop();
        bark(
          new AntiphonError('idle-timeout', `nothing moved for ${idleTimeoutMs} ms`, {
            hint: 'Close the input when it is over, read all outputs, or set idleTimeoutMs (0: never).',
          }),
        );
      }, idleTimeoutMs / quietParts);
    if (executionTimeoutMs > 0)
      this.#execution = setTimeout(() => {
        this.stop();
        bark(
          new AntiphonError('execution-timeout', `the run took over ${executionTimeoutMs} ms`, {
            hint: 'Raise executionTimeoutMs (0: never) if it may take so long.',
          }),
        );
      }, executionTimeoutMs);
  }

  /** Something moved. */
  touch(): void {
    this.#touched = true;
  }

  /** No more watching. */
  stop(): void {
    clearInterval(this.#idle);
    clearTimeout(this.#execution);
  }
}
