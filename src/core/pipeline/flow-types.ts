/** Type-level check of a chain: what is in flight before each stage, folded over the tuple of stages. */
import type { Kind } from '../element.ts';
import type { Stage } from '../stage/stage.ts';

/** Kinds that may turn up anywhere. */
type Everywhere = 'interrupt' | 'end' | 'error';

/** What a stage must be, besides a stage, when nothing before it emits what it consumes. */
type Unfed = 'no stage before this one emits what it consumes';

/** `unknown` when the stage gets something to consume, else a type that no stage has. */
type Fed<InFlight extends Kind, Consumes extends Kind> = [Consumes] extends [never]
  ? unknown
  : [Extract<InFlight | Everywhere, Consumes>] extends [never]
    ? Unfed
    : unknown;

/** What is in flight behind a stage. */
type Behind<InFlight extends Kind, Consumes extends Kind, Emits extends Kind> =
  | Exclude<InFlight, Consumes>
  | Emits;

type Rest<Stages extends readonly Stage[], InFlight extends Kind> = Stages extends readonly [
  infer Head extends Stage,
  ...infer Tail extends readonly Stage[],
]
  ? Head extends Stage<infer Consumes, infer Emits>
    ? [Head & Fed<InFlight, Consumes>, ...Rest<Tail, Behind<InFlight, Consumes, Emits>>]
    : never
  : Stages;

/**
 * The tuple of stages itself where every one but the first, which the run's input feeds, can consume
 * something that is in flight; otherwise a tuple that rejects the first stage that cannot.
 */
export type Chained<Stages extends readonly Stage[]> = Stages extends readonly [
  infer Head extends Stage,
  ...infer Tail extends readonly Stage[],
]
  ? Head extends Stage<infer Consumes, infer Emits>
    ? [Head, ...Rest<Tail, Behind<Consumes, Consumes, Emits>>]
    : never
  : Stages;
