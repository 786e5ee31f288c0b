/** Small stages for tests of the runner. */
import { element, type StreamElement, type TextElement } from '../../../../src/core/element.ts';
import { channel } from '../../../../src/core/channel/channel.ts';
import { defineStage, transform } from '../../../../src/core/stage/define-stage.ts';
import type { Stage, StageContext } from '../../../../src/core/stage/stage.ts';

export const text = (value: string, turn = 1): TextElement =>
  element('text', { text: value, delta: false, turn });

/** Texts of the text elements, other kinds by name. */
export const brief = (elements: readonly StreamElement[]): string[] =>
  elements.map((one) => (one.kind === 'text' ? one.text : `<${one.kind}>`));

/** Appends its name to every text. */
export const tag = (name: string): Stage<'text', 'text'> =>
  transform({
    name,
    consumes: ['text'],
    emits: ['text'],
    process: (one) => ({ ...one, text: `${one.text}${name}` }),
  });

/** Passes everything on. */
export const pass = (name: string): Stage =>
  defineStage({
    name,
    type: 'transform',
    consumes: [],
    emits: [],
    async *process(input) {
      for await (const _ of input);
      yield* [];
    },
  });

/** An input that a test pushes into. */
export const pushable = (capacity = 64) => channel<StreamElement>({ capacity });

export interface Probe {
  readonly stage: Stage;
  /** Resolves when the generator's `finally` has run. */
  readonly closed: Promise<void>;
  isClosed(): boolean;
}

/** A stage from a generator that reports its tear-down. */
export function probe(
  name: string,
  body: (
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ) => AsyncIterable<StreamElement>,
  facts: Partial<Stage> = {},
): Probe {
  let done = false;
  let tell = (): void => {};
  const closed = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const stage: Stage = {
    name,
    type: 'transform',
    consumes: [],
    emits: [],
    ...facts,
    async *process(input, context) {
      try {
        yield* body(input, context);
      } finally {
        done = true;
        tell();
      }
    },
  };
  return { stage, closed, isClosed: () => done };
}

/** Passes everything on, and reports its tear-down. */
export const passing = (name: string, facts: Partial<Stage> = {}): Probe =>
  probe(name, (input) => input, facts);

/** A source that never stops, and counts. */
export const counting = (name: string): Probe & { readonly made: () => number } => {
  let made = 0;
  const counted = probe(
    name,
    async function* () {
      for (;;) yield text(String((made += 1)));
    },
    { source: true, type: 'generate', emits: ['text'] },
  );
  return { ...counted, made: () => made };
};

/** A promise that never settles. */
export const forever = (): Promise<never> => new Promise(() => {});
