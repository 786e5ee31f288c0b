/** One value ahead of an iterator, so that a stage can wait for several sources without losing any. */

/**
 * Keeps at most one `next()` in flight and calls `wake` when it settles. Unlike `Promise.race` over
 * long-lived promises it leaves nothing behind, however many values pass.
 */
export class LookAhead<T> {
  readonly #iterator: AsyncIterator<T>;
  readonly #wake: () => void;
  #asked = false;
  #settled: { readonly result: IteratorResult<T> } | { readonly error: unknown } | undefined;

  constructor(source: AsyncIterable<T>, wake: () => void) {
    this.#iterator = source[Symbol.asyncIterator]();
    this.#wake = wake;
  }

  /** Asks for the next value unless one is asked for or waiting already. */
  ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#iterator.next().then(
      (result) => this.#settle({ result }),
      (error: unknown) => this.#settle({ error }),
    );
  }

  /** True when {@link take} has something to give. */
  get ready(): boolean {
    return this.#settled !== undefined;
  }

  /**
   * The value that was waiting; undefined at the end of the source.
   *
   * @throws what the source threw.
   */
  take(): { readonly value: T } | undefined {
    const settled = this.#settled;
    if (!settled) return undefined;
    this.#settled = undefined;
    if ('error' in settled) throw settled.error;
    if (settled.result.done === true) return undefined;
    this.#asked = false;
    return { value: settled.result.value };
  }

  /** Tells the source that nobody will ask any more; does not wait, for a value may still be under way. */
  close(): void {
    this.#iterator.return?.().catch(() => undefined);
  }

  #settle(settled: { readonly result: IteratorResult<T> } | { readonly error: unknown }): void {
    this.#settled = settled;
    this.#wake();
  }
}

/** A condition one party waits for and others announce; announcements are never lost. */
export class Doorbell {
  #rung = false;
  #answer: (() => void) | undefined;

  /** Announces that something happened. */
  readonly ring = (): void => {
    this.#rung = true;
    this.#answer?.();
  };

  /** Resolves once the bell was rung since the last wait. */
  async wait(): Promise<void> {
    if (!this.#rung)
      await new Promise<void>((resolve) => {
        this.#answer = resolve;
      });
    this.#rung = false;
    this.#answer = undefined;
  }
}
