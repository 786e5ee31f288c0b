/** Runs one stage as a pipeline does, with trouble at chosen moments, and tells all that came of it. */
import type { StreamElement } from '../core/element.ts';
import { toAntiphonError, type AntiphonError, type ErrorData } from '../core/errors.ts';
import { PipelineBuilder } from '../core/pipeline/builder.ts';
import type { Stage, StageEvent } from '../core/stage/stage.ts';
import type { TurnDefaults } from '../core/stage/turn-states.ts';
import { wallClock, type Clock } from '../core/time.ts';
import { describeElements } from './describe.ts';

/** A moment of a run: when the stage emits its n-th element (from 1), or one that a function chooses. */
export type Moment = number | ((output: StreamElement) => boolean);

/** Options of {@link runStage}. */
export interface RunStageOptions {
  /**
   * Interrupts `turn`, as a person who talks over the reply does, when the stage emits what `on` chooses; that
   * element is still collected. The turn of that element unless given.
   */
  readonly interrupt?: { readonly on: Moment; readonly turn?: number };
  /** Ends the run at that moment, as a consumer that leaves does. */
  readonly cancel?: Moment;
  /** Aborting it ends the run with `aborted`. */
  readonly signal?: AbortSignal;
  /** The stage's clock; the realm's own unless given. */
  readonly clock?: Clock;
  /** What the shared state of every turn starts from. */
  readonly turn?: TurnDefaults;
  /** A run in which nothing moves for so long fails with `idle-timeout`; 30 000 ms unless given, 0: never. */
  readonly idleTimeoutMs?: number;
}

/** What came of a run. */
export interface StageRun {
  /** All the stage emitted, what it passed on included. */
  readonly outputs: readonly StreamElement[];
  /** The same, in text; see `describeElements`. */
  readonly log: string;
  /** What it told by `context.emit`. */
  readonly events: readonly StageEvent[];
  /** The trouble it reported by `error` elements: with one element each, and it went on. */
  readonly errors: readonly ErrorData[];
  /** What it threw: the run was over with that. Undefined when it ended well, or was cancelled. */
  readonly failure: AntiphonError | undefined;
  /** True when its generator was still busy a second after it had been told to stop. */
  readonly abandoned: boolean;
}

/** What the runner tells about a stage. */
const lifeEvents: ReadonlySet<string> = new Set([
  'stage-prepared',
  'stage-completed',
  'stage-failed',
  'stage-abandoned',
]);

/**
 * A pipeline of this one stage: its inbox drops what an interrupt voids, `turnSignal` aborts, what it leaves
 * unread is cancelled, `dispose` is called. Never rejects: `failure` says what it threw.
 *
 * @example
 * const { log, failure } = await runStage(stage, elements().asks('hello'), { interrupt: { on: 2 } });
 */
export async function runStage(
  stage: Stage,
  inputs: Iterable<StreamElement> | AsyncIterable<StreamElement>,
  options: RunStageOptions = {},
): Promise<StageRun> {
  const { interrupt, cancel, signal, turn, clock = wallClock, idleTimeoutMs = 30_000 } = options;
  const pipeline = new PipelineBuilder({ idleTimeoutMs, clock, channelBufferSize: 1 })
    .chain(stage)
    .build();
  const outputs: StreamElement[] = [];
  const events: StageEvent[] = [];
  let interrupted = false;
  let abandoned = false;
  let failure: AntiphonError | undefined;
  const run = pipeline.execute(inputs, {
    ...(signal === undefined ? {} : { signal }),
    ...(turn === undefined ? {} : { turn }),
  });
  run.on((event) => {
    if (event.stage === stage.name && !lifeEvents.has(event.type)) events.push(event);
    if (event.type === 'stage-abandoned') abandoned = true;
  });
  const isMoment = (moment: Moment | undefined, output: StreamElement): boolean =>
    typeof moment === 'number' ? outputs.length === moment : (moment?.(output) ?? false);
  try {
    for await (const output of run) {
      outputs.push(output);
      if (!interrupted && isMoment(interrupt?.on, output)) {
        interrupted = true;
        run.interrupt(interrupt?.turn ?? output.turn);
      }
      if (isMoment(cancel, output)) break;
    }
    await run.done;
  } catch (error) {
    failure = toAntiphonError(error);
  }
  await pipeline.shutdown().catch((error: unknown) => {
    failure ??= toAntiphonError(error);
  });
  return {
    outputs,
    log: describeElements(outputs),
    events,
    errors: outputs.flatMap((output) => (output.kind === 'error' ? [output.error] : [])),
    failure,
    abandoned,
  };
}
