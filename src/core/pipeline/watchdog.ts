/** Ends a run in which nothing moves any more, or that takes too long. */
import { AntiphonError } from '../errors.ts';
import { sleep } from '../time.ts';
import type { ResolvedConfig } from './config.ts';

/** Quiet parts of the idle time that must pass in a row: a touch costs one assignment, not a timer. */
const quietParts = 4;

/** Watches from its making until `stop`, by the run's clock. */
export class Watchdog {
  readonly #config: ResolvedConfig;
  readonly #over = new AbortController();
  #touched = false;

  /** @param bark told of `idle-timeout` or `execution-timeout`, once. */
  constructor(config: ResolvedConfig, bark: (error: AntiphonError) => void) {
    this.#config = config;
    const tell = (error: AntiphonError): void => {
      this.stop();
      bark(error);
    };
    // A watch that was stopped has nothing to tell.
    if (config.idleTimeoutMs > 0) this.#untilIdle().then(tell, () => {});
    if (config.executionTimeoutMs > 0) this.#untilLate().then(tell, () => {});
  }

  /** Something moved. */
  touch(): void {
    this.#touched = true;
  }

  /** No more watching. */
  stop(): void {
    this.#over.abort();
  }

  async #untilIdle(): Promise<AntiphonError> {
    const { clock, idleTimeoutMs } = this.#config;
    for (let quiet = 0; quiet < quietParts;) {
      await sleep(clock, idleTimeoutMs / quietParts, this.#over.signal);
      quiet = this.#touched ? 0 : quiet + 1;
      this.#touched = false;
    }
    return new AntiphonError('idle-timeout', `nothing moved for ${idleTimeoutMs} ms`, {
      hint: 'Close the input when it is over, read all outputs, or set idleTimeoutMs (0: never).',
    });
  }

  async #untilLate(): Promise<AntiphonError> {
    const { clock, executionTimeoutMs } = this.#config;
    await sleep(clock, executionTimeoutMs, this.#over.signal);
    return new AntiphonError('execution-timeout', `the run took over ${executionTimeoutMs} ms`, {
      hint: 'Raise executionTimeoutMs (0: never) if it may take so long.',
    });
  }
}
