/** The input of a run as a stage. */
import type { StreamElement } from '../element.ts';
import type { Stage } from '../stage/stage.ts';

/** What a run reads: elements, as they come or all at once. */
export type RunInput = AsyncIterable<StreamElement> | Iterable<StreamElement>;

/** The input as a source: it is started, interrupted and torn down like any other. */
export function inputStage(input: RunInput): Stage {
  return {
    name: 'input',
    type: 'generate',
    source: true,
    consumes: [],
    emits: [],
    process: () => (Symbol.asyncIterator in input ? input : oneByOne(input)),
  };
}

async function* oneByOne(elements: Iterable<StreamElement>): AsyncGenerator<StreamElement> {
  for (const one of elements) yield one;
}
