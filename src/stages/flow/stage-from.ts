/** A web `TransformStream` as a stage. */
import type { ElementOf, Kind, StreamElement } from '../../core/element.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import { Doorbell } from '../conversation/look-ahead.ts';

/** What a stage made of a stream says about itself. */
export interface StreamStageFacts<Consumes extends Kind, Emits extends Kind> {
  readonly name: string;
  readonly consumes: readonly Consumes[];
  readonly emits: readonly Emits[];
}

/**
 * A stage from a `TransformStream` of elements. `make` is called once per run, because a stream serves
 * once. The stream gets the kinds in `consumes`; the others go around it in order: behind everything it
 * enqueued for the elements before, which it has done when its `transform` has settled. What it enqueues later by
 * itself comes out when it comes, what it keeps for `flush` at the end of the run. Backpressure is the
 * stream's own, one element at a time. When the run ends early the stream is aborted; an error of the
 * stream fails the run. Session-safe as long as the stream does not wait for its end.
 *
 * @example
 * stageFrom({ name: 'twice', consumes: ['text'], emits: ['text'] }, () => new TransformStream({
 *   transform(one, controller) { controller.enqueue(one); controller.enqueue(one); },
 * }))
 */
export function stageFrom<const Consumes extends Kind, const Emits extends Kind>(
  facts: StreamStageFacts<Consumes, Emits>,
  make: () => TransformStream<ElementOf<NoInfer<Consumes>>, ElementOf<NoInfer<Emits>>>,
): Stage<Consumes, Emits> {
  const consumes = new Set<Kind>(facts.consumes);
  const isConsumed = (element: StreamElement): element is ElementOf<Consumes> =>
    consumes.has(element.kind);
  const sign = (element: StreamElement): StreamElement =>
    element.source === '' ? { ...element, source: facts.name } : element;
  return {
    ...facts,
    type: 'transform',
    async *process(input, context) {
      const { readable, writable } = make();
      const writer = writable.getWriter();
      const outputs = new Outputs(readable.getReader());
      const stop = stopOnAbort(context, writer);
      const source = input[Symbol.asyncIterator]();
      let asked: Promise<IteratorResult<StreamElement>> | undefined;
      try {
        for (;;) {
          asked ??= source.next();
          yield* signed(outputs.until(asked), sign);
          const { done, value } = await asked;
          asked = undefined;
          if (done) break;
          if (isConsumed(value)) yield* signed(outputs.until(writer.write(value)), sign);
          else yield value;
        }
        yield* signed(outputs.until(writer.close()), sign);
        yield* signed(outputs.until(undefined), sign);
      } finally {
        stop();
        // Whatever is left undone is known already: these must not add rejections of their own.
        asked?.catch(() => {});
        writer.abort().catch(() => {});
        outputs.cancel();
      }
    },
  };
}

/** Aborts the stream with the run; returns what calls that off. */
function stopOnAbort(
  { signal }: StageContext,
  writer: WritableStreamDefaultWriter<unknown>,
): () => void {
  const abort = (): void => void writer.abort(signal.reason).catch(() => {});
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return () => signal.removeEventListener('abort', abort);
}

async function* signed(
  outputs: AsyncIterable<StreamElement>,
  sign: (element: StreamElement) => StreamElement,
): AsyncGenerator<StreamElement, void, undefined> {
  for await (const output of outputs) yield sign(output);
}

type Read<T> = { readonly result: ReadableStreamReadResult<T> } | { readonly error: unknown };

/**
 * Reads a stream while waiting for something else. A read that is pending is listened to once, however many other
 * things are waited for meanwhile: a stream may be silent for hours.
 */
class Outputs<T> {
  readonly #reader: ReadableStreamDefaultReader<T>;
  readonly #bell = new Doorbell();
  #reading = false;
  #read: Read<T> | undefined;
  #ended = false;

  constructor(reader: ReadableStreamDefaultReader<T>) {
    this.#reader = reader;
  }

  /** What the stream gives before `other` settles, and what it holds by then; to its end without `other`. */
  async *until(other: Promise<unknown> | undefined): AsyncGenerator<T, void, undefined> {
    let settled = false;
    const settle = (): void => {
      settled = true;
      this.#bell.ring();
    };
    // Its failure is heard below, or by whoever awaits `other` when the stream ended first.
    other?.then(settle, settle);
    while (!this.#ended) {
      this.#ask();
      if (!this.#read) await (settled ? undefined : this.#bell.wait());
      const read = this.#read;
      if (!read && settled) break;
      if (!read) continue;
      this.#read = undefined;
      if ('error' in read) throw read.error;
      if (read.result.done) this.#ended = true;
      else yield read.result.value;
    }
    await other;
  }

  /** Nobody reads any more. */
  cancel(): void {
    this.#reader.cancel().catch(() => {});
  }

  #ask(): void {
    if (this.#reading || this.#read) return;
    this.#reading = true;
    const settle = (read: Read<T>): void => {
      this.#reading = false;
      this.#read = read;
      this.#bell.ring();
    };
    this.#reader.read().then(
      (result) => settle({ result }),
      (error: unknown) => settle({ error }),
    );
  }
}
