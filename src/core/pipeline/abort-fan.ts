/** One abort for many listeners. */

/**
 * A signal of its own for every stage of a run, all aborted together. One shared signal would do, but Node
 * warns of a leak when a signal has more than ten listeners, and a long pipeline has more.
 */
export class AbortFan {
  readonly #controllers: AbortController[] = [];
  #abort: { readonly reason: unknown } | undefined;

  /** True once `abort` was called. */
  get aborted(): boolean {
    return this.#abort !== undefined;
  }

  /** Why; undefined before. */
  get reason(): unknown {
    return this.#abort?.reason;
  }

  /** Another signal, aborted already if the others are. */
  signal(): AbortSignal {
    const controller = new AbortController();
    if (this.#abort) controller.abort(this.#abort.reason);
    this.#controllers.push(controller);
    return controller.signal;
  }

  /** Aborts every signal, those made later too; the first reason counts. */
  abort(reason: unknown): void {
    if (this.#abort) return;
    this.#abort = { reason };
    for (const controller of this.#controllers) controller.abort(reason);
  }
}
