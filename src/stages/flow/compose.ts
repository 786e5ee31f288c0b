/** The smallest stages: pass on, leave out, change one kind. */
import {
  isControl,
  type ContentElement,
  type ElementOf,
  type Kind,
  type StreamElement,
} from '../../core/element.ts';
import { transform } from '../../core/stage/define-stage.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';

/** Passes everything on unchanged: a named place in a graph to branch from or merge into. Session-safe. */
export function passthrough(name: string): Stage<never, never> {
  return stepping(name, (element) => element);
}

/**
 * Passes on the content for which `keep` is true, and drops the rest; control always passes, `keep` is not
 * asked about it. A throw of `keep` fails the run. Session-safe.
 *
 * @example
 * filter('confident', (one) => one.kind !== 'transcript' || (one.confidence ?? 1) > 0.5)
 */
export function filter(
  name: string,
  keep: (element: ContentElement) => boolean,
): Stage<never, never> {
  return stepping(name, (element) => (isControl(element) || keep(element) ? element : undefined));
}

/**
 * Puts what `change` makes of it in the place of every element of `kind`; everything else passes. Order is
 * kept, also while `change` is awaited. A throw of `change` fails the run. Session-safe.
 *
 * @example
 * map('shout', 'text', (one) => ({ ...one, text: one.text.toUpperCase() }))
 */
export function map<K extends Kind>(
  name: string,
  kind: K,
  change: (
    element: ElementOf<K>,
    context: StageContext,
  ) => ElementOf<NoInfer<K>> | Promise<ElementOf<NoInfer<K>>>,
): Stage<K, K> {
  return transform({ name, consumes: [kind], emits: [kind], session: 'safe', process: change });
}

function stepping(
  name: string,
  step: (element: StreamElement) => StreamElement | undefined,
): Stage<never, never> {
  return {
    name,
    type: 'transform',
    session: 'safe',
    consumes: [],
    emits: [],
    step,
    async *process(input) {
      for await (const element of input) {
        const output = step(element);
        if (output) yield output;
      }
    },
  };
}
