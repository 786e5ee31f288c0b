/** Gates by name, so that a script that is plain data can wait at one. */
import { gate, type Gate } from '../gate.ts';

/** The gates of one server. A gate stays open once opened. */
export class Gates {
  readonly #gates = new Map<string, Gate>();

  /** Lets everybody through who waits at `name` or comes later. */
  open(name: string): void {
    this.#gate(name).open();
  }

  /** Resolves when a script has come to `name`, so that all it sent before is on its way. */
  reached(name: string): Promise<void> {
    return this.#gate(name).reached;
  }

  /** Waits at `name`; for those who play scripts. */
  pass(name: string): Promise<void> {
    return this.#gate(name).pass();
  }

  #gate(name: string): Gate {
    let found = this.#gates.get(name);
    if (!found) this.#gates.set(name, (found = gate()));
    return found;
  }
}
