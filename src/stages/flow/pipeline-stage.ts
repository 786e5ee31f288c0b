/** A whole pipeline as one stage of another. */
import { deferred, type Deferred } from '../../core/deferred.ts';
import type { Kind, StreamElement } from '../../core/element.ts';
import type { Pipeline } from '../../core/pipeline/pipeline.ts';
import type { PipelineRun } from '../../core/pipeline/run.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';

/** Events of a nested run that its outer run has of its own. */
const lifecycle = /^(run|stage)-/;

interface Nested {
  readonly run: PipelineRun;
  readonly input: Deferred<AsyncIterable<StreamElement>>;
}

/**
 * `pipeline` as a stage: its input goes to the roots, the leaves are its output. It consumes what the
 * roots consume and emits what any of its stages emits. Its stages are prepared with those of the outer
 * run; the turn states are the outer run's; an interrupt gets through at once, however full the nested
 * queues are; `close` and abort of the outer run end the nested one. The error of a nested stage fails the
 * outer run and names that stage. Events that nested stages emit are told under this stage's name.
 *
 * It is as session-safe as `pipeline`: build that with `session: 'live'` for a live outer session, else
 * the outer `build()` refuses it. The outer pipeline owns it: `shutdown()` shuts down both. A `format` of
 * its ends has to be told in `facts`; it is not known from outside.
 */
export function pipelineStage(
  name: string,
  pipeline: Pipeline,
  facts: Pick<Stage, 'format'> = {},
): Stage {
  const { nodes, edges } = pipeline.graph;
  const roots = nodes.filter((node) => !edges.some(({ to }) => to === node.name));
  const nestedRuns = new WeakMap<StageContext, Nested>();
  const start = (context: StageContext): Nested => {
    const input = deferred<AsyncIterable<StreamElement>>();
    const run = pipeline.execute(later(input.promise), {
      signal: context.signal,
      turnState: (turn) => context.turn(turn),
    });
    // A run that ends before its input was given must not wait for it.
    context.signal.addEventListener('abort', () => input.resolve(nothing()), { once: true });
    run.on(({ type, detail }) => {
      if (!lifecycle.test(type)) context.emit(type, detail);
    });
    const nested = { run, input };
    nestedRuns.set(context, nested);
    return nested;
  };
  return {
    ...facts,
    name,
    type: 'duplex',
    session: pipeline.session === 'live' ? 'safe' : 'unary',
    consumes: union(roots.map(({ consumes }) => consumes)),
    emits: union(nodes.map(({ emits }) => emits)),
    prepare: (context) => start(context).run.ready,
    async *process(input, context) {
      const { run, input: given } = nestedRuns.get(context) ?? start(context);
      given.resolve(announcing(input, run, context));
      yield* run;
      await run.done;
    },
    dispose: () => pipeline.shutdown(),
  };
}

async function* nothing(): AsyncGenerator<never, void, undefined> {}

async function* later(
  input: Promise<AsyncIterable<StreamElement>>,
): AsyncGenerator<StreamElement, void, undefined> {
  yield* await input;
}

/** Passes `input` on, and interrupts `run` the moment a turn that has begun is voided outside. */
async function* announcing(
  input: AsyncIterable<StreamElement>,
  run: PipelineRun,
  context: StageContext,
): AsyncGenerator<StreamElement, void, undefined> {
  let latest = -1;
  let voided = -1;
  const interrupt = (turn: number): void => {
    // One interrupt voids many turns, whose signals abort one after the other: only the last is to be told.
    if (voided < 0)
      queueMicrotask(() => {
        run.interrupt(voided);
        voided = -1;
      });
    voided = Math.max(voided, turn);
  };
  for await (const element of input) {
    const { turn } = element;
    if (turn > latest) {
      latest = turn;
      context.turnSignal(turn).addEventListener('abort', () => interrupt(turn), { once: true });
    }
    yield element;
  }
}

function union(kinds: readonly (readonly Kind[])[]): Kind[] {
  return [...new Set(kinds.flat())];
}
