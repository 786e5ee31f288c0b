/** Named gates: a script waits at one until the test opens it, and the test can wait until it got there. */
import { deferred, type Deferred } from '../../core/deferred.ts';

interface Gate {
  readonly reached: Deferred<void>;
  readonly opened: Deferred<void>;
}

/** The gates of one server. A gate stays open once opened. */
export class Gates {
  readonly #gates = new Map<string, Gate>();

  /** Lets everybody through who waits at `name` or comes later. */
  open(name: string): void {
    this.#gate(name).opened.resolve();
  }

  /** Resolves when a script has come to `name`, so that all it sent before is on its way. */
  reached(name: string): Promise<void> {
    return this.#gate(name).reached.promise;
  }

  /** Waits at `name`; for those who play scripts. */
  pass(name: string): Promise<void> {
    const gate = this.#gate(name);
    gate.reached.resolve();
    return gate.opened.promise;
  }

  #gate(name: string): Gate {
    let gate = this.#gates.get(name);
    if (!gate) this.#gates.set(name, (gate = { reached: deferred(), opened: deferred() }));
    return gate;
  }
}
