/** One row of the conformance list: a behaviour users of the seed design count on, and a case that shows it. */

/** What every row says. */
interface RowFacts {
  /** `area.behaviour`, unique and stable. */
  readonly id: string;
  /** What is kept, as a sentence about us. */
  readonly behaviour: string;
  /** Where the seed design has it: a section of its conformance list (§14), its weaknesses (§12), its regressions (§13). */
  readonly seed: string;
  /** Fails unless we do what `behaviour` says. */
  run(): void | Promise<void>;
}

/** A row; one that differs on purpose says why. */
export type Row = RowFacts &
  ({ readonly ours: 'same' } | { readonly ours: 'differs'; readonly why: string });

/** The rows of one subject. */
export interface Area {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Rows that do as the seed does. */
export function same(
  id: string,
  seed: string,
  behaviour: string,
  run: () => void | Promise<void>,
): Row {
  return { id, seed, behaviour, run, ours: 'same' };
}

/** Rows that differ from the seed: `behaviour` is ours. */
export function differs(
  id: string,
  seed: string,
  behaviour: string,
  why: string,
  run: () => void | Promise<void>,
): Row {
  return { id, seed, behaviour, why, run, ours: 'differs' };
}
