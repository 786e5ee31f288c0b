/** The input of a stage, watched. */
import type { StreamElement } from '../../core/element.ts';
import { Inbox } from '../../core/stage/inbox.ts';

/** Watched input → what it watches. */
const sources = new WeakMap<AsyncIterable<StreamElement>, AsyncIterable<StreamElement>>();

/** The inbox that `input` is, or watches; undefined outside of a pipeline. */
export function inboxOf(input: AsyncIterable<StreamElement>): Inbox | undefined {
  if (input instanceof Inbox) return input;
  const source = sources.get(input);
  return source && inboxOf(source);
}

/**
 * `input`, telling `see` of every request for an element, with nothing, and of every answer. It can be iterated
 * again after a loop was left early, as far as `input` can.
 */
export function watchInput(
  input: AsyncIterable<StreamElement>,
  see: (result?: IteratorResult<StreamElement, undefined>) => void,
): AsyncIterable<StreamElement> {
  const watched: AsyncIterable<StreamElement> = {
    [Symbol.asyncIterator]() {
      const iterator = input[Symbol.asyncIterator]();
      return {
        async next() {
          see();
          const result = await iterator.next();
          see(result);
          return result;
        },
        async return() {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
  sources.set(watched, input);
  return watched;
}
