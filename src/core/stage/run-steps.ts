/** Drives a stage element by element, without a generator: no promise where nothing has to be waited for. */
import type { StreamElement } from '../element.ts';
import { Drive, type StageSides } from './drive.ts';
import type { Stage, StageContext, StepResult } from './stage.ts';

/** A stage that treats each element by itself. */
export type SteppingStage = Stage & Required<Pick<Stage, 'step'>>;

/** Runs `stage.step` on what comes in, in the very call that brings it when the stage is idle. */
export function runSteps(
  stage: SteppingStage,
  sides: StageSides,
  context: StageContext,
): Promise<void> {
  const { inbox } = sides;
  const drive = new Drive(sides, context.signal);
  let isBusy = false;
  /** The answer to an element that takes its time. */
  let working: AsyncIterator<StreamElement> | undefined;

  const emitAll = async (given: StepResult): Promise<void> => {
    const outputs = outputsOf(given);
    working = outputs;
    for await (const output of outputs) {
      if (drive.isOver) return;
      await drive.emit(output);
    }
    working = undefined;
  };
  const advance = (): void => {
    if (isBusy || drive.isOver) return;
    isBusy = true;
    try {
      for (let input = inbox.poll(); input !== undefined; input = inbox.poll()) {
        const outputs = stage.step(input, context);
        if (outputs === undefined) continue;
        const waiting = 'kind' in outputs ? drive.emit(outputs) : emitAll(outputs);
        if (!waiting) continue;
        waiting.then(resume, drive.fail);
        return;
      }
      if (inbox.hasEnded) drive.complete();
      else isBusy = false;
    } catch (error) {
      drive.fail(error);
    }
  };
  const resume = (): void => {
    isBusy = false;
    advance();
  };

  inbox.onReadable(advance);
  advance();
  return drive.concluded(() => working, context);
}

/** Evens out the ways to give outputs. */
export async function* outputsOf<E extends StreamElement>(
  given: void | E | Iterable<E> | AsyncIterable<E> | Promise<void | E | Iterable<E>>,
): AsyncGenerator<E, void, undefined> {
  const outputs = await given;
  if (outputs === undefined) return;
  if ('kind' in outputs) yield outputs;
  else yield* outputs;
}
