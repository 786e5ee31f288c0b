/** Waiting that ends when the caller cancels. */
import { abortable as abortableFor } from '../core/abortable.ts';
import { abortedError } from '../core/errors.ts';

/** Settles like `work`, or rejects with `aborted` as soon as `signal` aborts. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return abortableFor(work, signal, 0, abortedError);
}

/**
 * The values of `source` until `signal` aborts, then an `aborted` error at once, even when the source
 * itself does not listen. The source is told to stop on every path.
 */
export async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const result = await abortable(iterator.next(), signal);
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    // Not awaited: a source that ignores the signal must not hold us up.
    iterator.return?.().catch(() => undefined);
  }
}

/**
 * The values of a stream until `signal` aborts, then an `aborted` error at once. The stream is cancelled on every
 * path, also while a read is pending.
 */
export async function* streamValues<T>(
  stream: ReadableStream<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await abortable(reader.read(), signal);
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
