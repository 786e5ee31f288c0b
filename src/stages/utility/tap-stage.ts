/** Looks at everything that passes, on the page, without changing it. */
import type { Kind, StreamElement } from '../../core/element.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';

/**
 * Calls `observe` for every element in order, control too, then passes it on at once, except for kinds in `drop`,
 * which end here. Consumes and emits nothing of its own; session-safe. Buffers belong to the next stage: an observer must not keep or change them. An exception of the
 * observer fails the run.
 */
export class TapStage implements Stage<never, never> {
  readonly name: string;
  readonly type = 'transform';
  readonly session = 'safe';
  readonly consumes: readonly never[] = [];
  readonly emits: readonly never[] = [];
  readonly #observe: (element: StreamElement) => void;
  readonly #drop: ReadonlySet<Kind>;

  constructor(
    name: string,
    observe: (element: StreamElement) => void,
    options: { readonly drop?: readonly Kind[] } = {},
  ) {
    this.name = name;
    this.#observe = observe;
    this.#drop = new Set(options.drop);
  }

  /** Passes on what it observed. */
  async *process(
    input: AsyncIterable<StreamElement>,
    _context: StageContext,
  ): AsyncGenerator<StreamElement> {
    for await (const element of input) {
      this.#observe(element);
      if (!this.#drop.has(element.kind)) yield element;
    }
  }
}
