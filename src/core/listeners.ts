/** A typed list of listeners; a listener that throws harms nobody else. */

/** Listeners of the events in `Events`, a record of event name → detail. */
export class Listeners<Events> {
  readonly #listeners = new Map<keyof Events, Set<(detail: never) => void>>();

  /** Adds a listener. Returns what removes it. */
  on<Name extends keyof Events>(name: Name, listener: (detail: Events[Name]) => void): () => void {
    let listeners = this.#listeners.get(name);
    if (!listeners) this.#listeners.set(name, (listeners = new Set()));
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Listeners of `name` at the moment. */
  count(name: keyof Events): number {
    return this.#listeners.get(name)?.size ?? 0;
  }

  /** Calls the listeners in the order they came; what one throws is reported as an uncaught error. */
  emit<Name extends keyof Events>(name: Name, detail: Events[Name]): void {
    for (const listener of this.#listeners.get(name) ?? [])
      try {
        (listener as (detail: Events[Name]) => void)(detail);
      } catch (error) {
        // Node has no reportError.
        if (typeof reportError === 'function') reportError(error);
        else console.error(error);
      }
  }
}
