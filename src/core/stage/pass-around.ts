/** Runs a generator on a part of a stream while the rest goes around it, in order. */
import type { StreamElement } from '../element.ts';
import { abortedError } from '../errors.ts';

const finished: IteratorReturnResult<undefined> = { done: true, value: undefined };

interface Passing {
  readonly element: StreamElement;
  isOut: boolean;
  letOn(): void;
}

type Settled = { readonly result: IteratorResult<StreamElement> } | { readonly error: unknown };

/**
 * Gives `inner` the elements that are `taken` and passes on the others. One that is passed on leaves
 * when `inner` asks for the element behind it, that is, after everything `inner` yielded before. What
 * `inner` yields leaves as `sign` makes it.
 */
export function passAround<T extends StreamElement>(
  input: AsyncIterable<StreamElement>,
  taken: (element: StreamElement) => element is T,
  inner: (input: AsyncIterable<T>) => AsyncIterable<StreamElement>,
  sign: (output: StreamElement) => StreamElement,
): AsyncIterableIterator<StreamElement> {
  const source = input[Symbol.asyncIterator]();
  /** An element on its way around, whether it was given out, and how to let the inner generator on behind it. */
  const around: { passing?: Passing | undefined } = {};
  let answer: (() => void) | undefined;
  let isOver = false;

  const consumed: AsyncIterableIterator<T> = {
    async next() {
      for (;;) {
        const result = await source.next();
        if (result.done) return finished;
        const { value } = result;
        if (taken(value)) return { done: false, value };
        // Nobody will ask for what goes around any more.
        if (isOver) throw abortedError();
        await new Promise<void>((resolve) => {
          around.passing = { element: value, isOut: false, letOn: resolve };
          answer?.();
        });
      }
    },
    [Symbol.asyncIterator]: () => consumed,
  };

  const iterator = inner(consumed)[Symbol.asyncIterator]();
  const letOn = (): void => {
    around.passing?.letOn();
    around.passing = undefined;
  };
  let pending = false;
  let settled: Settled | undefined;
  const ask = (): void => {
    pending = true;
    iterator.next().then(
      (result) => {
        settled = { result };
        answer?.();
      },
      (error: unknown) => {
        settled = { error };
        answer?.();
      },
    );
  };

  return {
    async next() {
      if (around.passing?.isOut) letOn();
      if (!pending) ask();
      if (!settled && !around.passing)
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
      answer = undefined;
      const { passing } = around;
      // A generator that reads ahead may have yielded something before it met what goes around it.
      if (passing && !isOutput(settled)) {
        passing.isOut = true;
        return { done: false, value: passing.element };
      }
      const outcome = settled;
      settled = undefined;
      pending = false;
      if (!outcome) return finished;
      if ('error' in outcome) throw outcome.error;
      const { result } = outcome;
      return result.done ? result : { done: false, value: sign(result.value) };
    },
    async return() {
      isOver = true;
      letOn();
      await iterator.return?.();
      return finished;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function isOutput(settled: Settled | undefined): boolean {
  return settled !== undefined && 'result' in settled && settled.result.done !== true;
}
