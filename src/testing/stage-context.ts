/** A `StageContext` for tests of a single stage, and a driver that runs one on given elements. */
import type { StreamElement } from '../core/element.ts';
import type { Stage, StageContext, StageEvent, TurnState } from '../core/stage/stage.ts';

/** A context whose turns a test can interrupt and whose events it can read. */
export interface TestContext extends StageContext {
  /** Aborts the signals of turns ≤ `turn`, as an arriving `interrupt` does. */
  interrupt(turn: number): void;
  /** Aborts `signal`. */
  end(): void;
  /** What the stage emitted so far. */
  readonly events: readonly StageEvent[];
}

/** Makes a {@link TestContext}; `now` is the clock's reading, 0 unless given. */
export function testContext(options: { readonly now?: () => number } = {}): TestContext {
  const now = options.now ?? (() => 0);
  const run = new AbortController();
  const controllers = new Map<number, AbortController>();
  const turns = new Map<number, TurnState>();
  const events: StageEvent[] = [];
  let voided = -1;
  const controllerOf = (turn: number): AbortController => {
    let controller = controllers.get(turn);
    if (!controller) {
      controller = new AbortController();
      if (turn <= voided || run.signal.aborted) controller.abort();
      controllers.set(turn, controller);
    }
    return controller;
  };
  return {
    signal: run.signal,
    clock: { now },
    events,
    turnSignal: (turn) => controllerOf(turn).signal,
    turn(turn) {
      let state = turns.get(turn);
      if (!state) {
        state = {
          turn,
          conversation: 'test',
          systemPrompt: '',
          systemTemplate: '',
          variables: {},
          history: [],
          allowedTools: undefined,
          extra: {},
        };
        turns.set(turn, state);
      }
      return state;
    },
    emit: (type, detail) => events.push({ type, stage: 'test', at: now(), detail }),
    interrupt(turn) {
      voided = Math.max(voided, turn);
      for (const [number, controller] of controllers) if (number <= voided) controller.abort();
    },
    end() {
      run.abort();
      for (const controller of controllers.values()) controller.abort();
    },
  };
}

/** Runs one stage over `inputs` (an `end` is not added) and collects what it emits. */
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
