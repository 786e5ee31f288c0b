/** The input of a stage, watched. */
import type { StreamElement } from '../../core/element.ts';

/**
 * `input`, telling `see` of every request for an element, with nothing, and of every answer. It can be iterated
 * again after a loop was left early, as far as `input` can.
 */
export function watchInput(
  input: AsyncIterable<StreamElement>,
  see: (result?: IteratorResult<StreamElement, undefined>) => void,
): AsyncIterable<StreamElement> {
  return {
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
}
