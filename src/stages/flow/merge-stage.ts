/** Joins several branches into one stream. */
import type { StreamElement } from '../../core/element.ts';
import type { Stage } from '../../core/stage/stage.ts';

/**
 * Consumes and emits nothing of its own: passes on what its inputs bring. The only stage that takes any
 * number of edges without `.merge()` of the builder, so branches can be led to it by `.connect()`. Inputs
 * that all have something take turns; the order of each is kept; none is lost, doubled or dropped. An
 * interrupt of any branch overtakes and comes out once. `end` comes out once, after every input has ended,
 * so that one branch's end never ends the others. A branch that fails, fails the run. Which branch an
 * element came by is told by its `source`, the stage that made it. Session-safe.
 *
 * @example
 * new PipelineBuilder().chain(left, new MergeStage(), speaker).add(right).connect('right', 'merge')
 */
export class MergeStage implements Stage<never, never> {
  readonly name: string;
  readonly type = 'transform';
  readonly session = 'safe';
  readonly merges = true;
  readonly consumes: readonly never[] = [];
  readonly emits: readonly never[] = [];

  /** @param name `merge` unless given. */
  constructor(name: string = 'merge') {
    this.name = name;
  }

  /** Passes on; the joining is done by what the runner gives it to read. */
  process(input: AsyncIterable<StreamElement>): AsyncIterable<StreamElement> {
    return input;
  }

  /** Passes on. */
  step(element: StreamElement): StreamElement {
    return element;
  }
}
