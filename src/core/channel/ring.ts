/** A first-in, first-out queue of fixed capacity over one preallocated array. */

/** Values wait in order; neither `push` nor `shift` allocates. */
export class Ring<T extends {}> {
  /** The most values it holds; at least 1. */
  readonly capacity: number;
  readonly #slots: (T | undefined)[];
  #head = 0;
  #length = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#slots = Array.from<T | undefined>({ length: capacity }).fill(undefined);
  }

  /** How many values wait. */
  get length(): number {
    return this.#length;
  }

  /** True when `push` would refuse. */
  get full(): boolean {
    return this.#length === this.capacity;
  }

  /** Appends; false (and nothing happens) when full. */
  push(value: T): boolean {
    if (this.#length === this.capacity) return false;
    let tail = this.#head + this.#length;
    if (tail >= this.capacity) tail -= this.capacity;
    this.#slots[tail] = value;
    this.#length += 1;
    return true;
  }

  /** Takes the oldest value; undefined when empty. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const value = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = this.#head + 1 === this.capacity ? 0 : this.#head + 1;
    this.#length -= 1;
    return value;
  }

  /** Removes every value that `matches`, keeping the order of the rest; returns the removed, oldest first. */
  remove(matches: (value: T) => boolean): T[] {
    const removed: T[] = [];
    for (let left = this.#length; left > 0; left -= 1) {
      const value = this.shift();
      if (value === undefined) break;
      if (matches(value)) removed.push(value);
      else this.push(value);
    }
    return removed;
  }
}
