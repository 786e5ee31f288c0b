/** A `StageContext` for tests of a single stage, and a driver that runs one on given elements. */
import type { StreamElement } from '../core/element.ts';
import { stageContext } from '../core/stage/context.ts';
import { Inbox } from '../core/stage/inbox.ts';
import type { Stage, StageContext, StageEvent } from '../core/stage/stage.ts';
import { TurnStates, type TurnDefaults } from '../core/stage/turn-states.ts';
import type { Clock } from '../core/time.ts';

/** A context whose turns a test can interrupt and whose events it can read. */
export interface TestContext extends StageContext {
  /** Aborts the signals of turns ≤ `turn`, as an arriving `interrupt` does. */
  interrupt(turn: number): void;
  /** Aborts `signal`, and those of all turns, as the end of a run does. */
  end(): void;
  /** What the stage emitted so far. */
  readonly events: readonly StageEvent[];
}

/** Options of {@link testContext}. */
export interface TestContextOptions {
  /** Name of the stage in its events; `test` unless given. */
  readonly stage?: string;
  /** What time is; a clock that stands at 0 unless given. Give a `fakeClock` to a stage that waits. */
  readonly clock?: Clock;
  /** The clock's reading, where that is all that is needed. */
  readonly now?: () => number;
  /** What the shared state of every turn starts from; the conversation is `test` unless given. */
  readonly turn?: TurnDefaults;
}

/** Makes a {@link TestContext}. It is that of a run, without the run: `interrupt` sends nothing. */
export function testContext(options: TestContextOptions = {}): TestContext {
  const clock = options.clock ?? { now: options.now ?? (() => 0) };
  const run = new AbortController();
  const inbox = new Inbox([]);
  const turns = new TurnStates({ conversation: 'test', ...options.turn });
  const events: StageEvent[] = [];
  const context = stageContext(
    options.stage ?? 'test',
    {
      signal: run.signal,
      clock,
      turn: (turn) => turns.of(turn),
      onEvent: (event) => events.push(event),
    },
    inbox,
    undefined,
  );
  return {
    ...context,
    events,
    end() {
      run.abort();
      inbox.abort(run.signal.reason);
    },
  };
}

/**
 * Runs one stage over `inputs` (an `end` is not added), all at once and without a pipeline, and collects what
 * it emits; rejects as it throws. `runStage` drives it as a pipeline does.
 */
export async function runOn(
  stage: Stage,
  inputs: Iterable<StreamElement> | AsyncIterable<StreamElement>,
  context: StageContext = testContext(),
): Promise<StreamElement[]> {
  await stage.prepare?.(context);
  const outputs: StreamElement[] = [];
  const source = (async function* () {
    yield* inputs;
  })();
  for await (const output of stage.process(source, context)) outputs.push(output);
  return outputs;
}
