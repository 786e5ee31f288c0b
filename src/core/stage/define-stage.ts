/**
 * Stages without ceremony: the author sees only what the stage consumes, the rest is passed on in order. What
 * has no `source` leaves with the stage's name.
 */
import { isInterruptible, type ElementOf, type Kind, type StreamElement } from '../element.ts';
import { passAround } from './pass-around.ts';
import { outputsOf } from './run-steps.ts';
import type {
  AudioFormat,
  Stage,
  StageContext,
  StageSession,
  StageType,
  StepResult,
} from './stage.ts';

/** The facts that every way to define a stage shares. */
export interface StageFacts<Consumes extends Kind, Emits extends Kind> {
  readonly name: string;
  readonly consumes: readonly Consumes[];
  readonly emits: readonly Emits[];
  readonly session?: StageSession;
  readonly format?: { readonly input?: AudioFormat; readonly output?: AudioFormat };
  /** Loads what the stage needs; awaited before the first element. */
  prepare?(context: StageContext): Promise<void>;
  /** Releases what `prepare` acquired. */
  dispose?(): void | Promise<void>;
}

/** What a function of a stage may give back: nothing, one element, or several in any iterable. */
export type Outputs<K extends Kind> =
  | void
  | ElementOf<K>
  | Iterable<ElementOf<K>>
  | AsyncIterable<ElementOf<K>>
  | Promise<void | ElementOf<K> | Iterable<ElementOf<K>>>;

/** A stage given by its `process` over the elements it consumes. */
export interface StageDefinition<Consumes extends Kind, Emits extends Kind> extends StageFacts<
  Consumes,
  Emits
> {
  readonly type: StageType;
  readonly source?: boolean;
  process(
    input: AsyncIterable<ElementOf<Consumes>>,
    context: StageContext,
  ): AsyncIterable<ElementOf<NoInfer<Emits>>>;
}

/**
 * A stage from an async generator that sees only the kinds it consumes; every other element is passed on
 * between the outputs of the elements before and after it (of a generator that reads ahead, maybe earlier).
 *
 * @example
 * const shout = defineStage({
 *   name: 'shout', type: 'transform', consumes: ['text'], emits: ['text'],
 *   async *process(input) {
 *     for await (const text of input) yield { ...text, text: text.text.toUpperCase() };
 *   },
 * });
 */
export function defineStage<const Consumes extends Kind, const Emits extends Kind>(
  definition: StageDefinition<Consumes, Emits>,
): Stage<Consumes, Emits> {
  const consumes = new Set<Kind>(definition.consumes);
  const isConsumed = (element: StreamElement): element is ElementOf<Consumes> =>
    consumes.has(element.kind);
  return {
    ...factsOf(definition),
    type: definition.type,
    ...(definition.source === undefined ? {} : { source: definition.source }),
    process: (input, context) =>
      passAround(
        input,
        isConsumed,
        (consumed) => definition.process(consumed, context),
        (output) => sign(output, definition.name),
      ),
  };
}

/** Maps each consumed element to none, one or several others. */
export function transform<const Consumes extends Kind, const Emits extends Kind>(
  definition: StageFacts<Consumes, Emits> & {
    process(element: ElementOf<Consumes>, context: StageContext): Outputs<NoInfer<Emits>>;
  },
): Stage<Consumes, Emits> {
  const isConsumed = consumedBy(definition);
  const step = (element: StreamElement, context: StageContext): StepResult => {
    if (!isConsumed(element)) return element;
    const outputs = definition.process(element, context);
    if (outputs === undefined) return undefined;
    return 'kind' in outputs ? sign(outputs, definition.name) : signAll(definition.name, outputs);
  };
  return {
    ...factsOf(definition),
    type: 'transform',
    step,
    async *process(input, context) {
      for await (const element of input) yield* outputsOf(step(element, context));
    },
  };
}

/**
 * Collects consumed elements until one of the `until` kinds arrives, then emits what `flush` makes of
 * them, before that element. What is left when the input closes is flushed too. What an `interrupt` voids of what is
 * collected is dropped, as in every queue. Without `until` it waits for the input to close and is therefore `unary`.
 */
export function accumulate<const Consumes extends Kind, const Emits extends Kind>(
  definition: StageFacts<Consumes, Emits> & {
    readonly until?: readonly Kind[];
    flush(elements: readonly ElementOf<Consumes>[], context: StageContext): Outputs<NoInfer<Emits>>;
  },
): Stage<Consumes, Emits> {
  const isConsumed = consumedBy(definition);
  const until = new Set<Kind>(['end', ...(definition.until ?? [])]);
  return {
    ...factsOf(definition),
    session: definition.session ?? (definition.until ? 'safe' : 'unary'),
    type: 'accumulate',
    async *process(input, context) {
      let held: ElementOf<Consumes>[] = [];
      for await (const element of input) {
        if (element.kind === 'interrupt')
          held = held.filter((one) => one.turn > element.turn || !isInterruptible(one));
        if (isConsumed(element)) held.push(element);
        if (until.has(element.kind) && held.length > 0) {
          const elements = held;
          held = [];
          yield* signAll(definition.name, definition.flush(elements, context));
        }
        if (!isConsumed(element)) yield element;
      }
      if (held.length > 0) yield* signAll(definition.name, definition.flush(held, context));
    },
  };
}

/** A source: emits what `generate` yields, and takes no input. */
export function generate<const Emits extends Kind>(
  definition: Omit<StageFacts<never, Emits>, 'consumes'> & {
    generate(context: StageContext): AsyncIterable<ElementOf<NoInfer<Emits>>>;
  },
): Stage<never, Emits> {
  return {
    ...factsOf({ ...definition, consumes: [] }),
    type: 'generate',
    source: true,
    async *process(_input, context) {
      for await (const output of definition.generate(context)) yield sign(output, definition.name);
    },
  };
}

/** Takes consumed elements out of the stream; the next is taken when `take` has settled. */
export function sink<const Consumes extends Kind>(
  definition: Omit<StageFacts<Consumes, never>, 'emits'> & {
    take(element: ElementOf<Consumes>, context: StageContext): void | Promise<void>;
  },
): Stage<Consumes, never> {
  const isConsumed = consumedBy(definition);
  return {
    ...factsOf({ ...definition, emits: [] }),
    type: 'sink',
    async *process(input, context) {
      for await (const element of input) {
        if (isConsumed(element)) await definition.take(element, context);
        else yield element;
      }
    },
  };
}

function consumedBy<K extends Kind>(definition: {
  readonly consumes: readonly K[];
}): (element: StreamElement) => element is ElementOf<K> {
  const consumes = new Set<Kind>(definition.consumes);
  return (element): element is ElementOf<K> => consumes.has(element.kind);
}

function factsOf<C extends Kind, E extends Kind>(
  definition: StageFacts<C, E>,
): Omit<Stage<C, E>, 'type' | 'process'> {
  const { name, consumes, emits, session, format } = definition;
  return {
    name,
    consumes,
    emits,
    ...(session === undefined ? {} : { session }),
    ...(format === undefined ? {} : { format }),
    ...(definition.prepare
      ? { prepare: (context) => definition.prepare?.(context) ?? Promise.resolve() }
      : {}),
    ...(definition.dispose ? { dispose: () => definition.dispose?.() } : {}),
  };
}

/** Outputs in a stage's name, whatever way they are given. */
async function* signAll<K extends Kind>(
  source: string,
  given: Outputs<K>,
): AsyncGenerator<StreamElement, void, undefined> {
  for await (const output of outputsOf(given)) yield sign(output, source);
}

function sign(element: StreamElement, source: string): StreamElement {
  return element.source === '' ? { ...element, source } : element;
}
