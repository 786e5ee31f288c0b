/** Fair fan-in of several readers. */
import type { ChannelReader } from './queue.ts';

/**
 * Reads several channels as one: takes turns between those that have something, keeps the order of each,
 * ends when the last one ends, and fails with the first that fails. Leaving early cancels every one of
 * them at once.
 */
export async function* merge<T extends {}>(
  readers: readonly ChannelReader<T>[],
): AsyncGenerator<T, void, undefined> {
  const turns = new Turns(readers);
  let wake: (() => void) | undefined;
  for (const reader of readers) reader.onReadable(() => wake?.());
  try {
    for (;;) {
      const value = turns.poll();
      if (value !== undefined) yield value;
      else if (turns.ended) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    for (const reader of readers) reader.cancel();
  }
}

/** Takes turns between readers; an ended one is skipped. */
export class Turns<T extends {}> {
  readonly #readers: readonly ChannelReader<T>[];
  #next = 0;

  constructor(readers: readonly ChannelReader<T>[]) {
    this.#readers = readers;
  }

  /** True when none of them will give anything any more. */
  get ended(): boolean {
    return this.#readers.every((reader) => reader.state === 'ended');
  }

  /** The next value of whichever reader is first in turn; undefined when none waits. Throws the failure of a failed one. */
  poll(): T | undefined {
    const count = this.#readers.length;
    for (let tried = 0; tried < count; tried += 1) {
      const reader = this.#readers[this.#next];
      this.#next = this.#next + 1 >= count ? 0 : this.#next + 1;
      const value = reader?.poll();
      if (value !== undefined) return value;
      if (reader?.state === 'failed') throw reader.failure;
    }
    return undefined;
  }
}
