/** Reads a stream to its end, or as far as a test is interested. */
import type { StreamElement } from '../core/element.ts';

/** When {@link collect} has enough. */
export interface CollectOptions<T> {
  /** Aborting it leaves the stream and rejects with its reason. */
  readonly signal?: AbortSignal;
  /** True for the last value wanted; it is collected too. `all` ends with `value`. */
  readonly until?: (value: T, all: readonly T[]) => boolean;
  /** The most values wanted; no bound unless given. */
  readonly limit?: number;
}

/**
 * The values of a stream as an array. Having enough, it leaves the stream as `break` would, so that whoever
 * makes the values can tear down; it does not wait for that when it was aborted. Rejects as the stream does.
 *
 * @example
 * const outputs = await collect(pipeline.execute(input), { until: ({ kind }) => kind === 'turn-end' });
 */
export async function collect<T = StreamElement>(
  source: Iterable<T> | AsyncIterable<T>,
  options: CollectOptions<T> = {},
): Promise<T[]> {
  const { signal, until, limit = Infinity } = options;
  signal?.throwIfAborted();
  const all: T[] = [];
  const iterator = iterate(source);
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal?.reason);
  });
  aborted.catch(() => {});
  signal?.addEventListener('abort', abort, { once: true });
  try {
    while (all.length < limit) {
      const next = iterator.next();
      const result = await (signal ? Promise.race([next, aborted]) : next);
      if (result.done) return all;
      all.push(result.value);
      if (until?.(result.value, all)) break;
    }
  } catch (error) {
    if (signal?.aborted) void Promise.resolve(iterator.return?.()).catch(() => {});
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  await iterator.return?.();
  return all;
}

function iterate<T>(source: Iterable<T> | AsyncIterable<T>): AsyncIterator<T> {
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
  return (async function* () {
    yield* source;
  })();
}
