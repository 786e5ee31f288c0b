/** Drives one stage from its inbox to its outbox. */
import type { StreamElement } from '../element.ts';
import { AntiphonError, toAntiphonError } from '../errors.ts';
import { Drive, type StageSides } from './drive.ts';
import { runSteps, type SteppingStage } from './run-steps.ts';
import type { Stage, StageContext } from './stage.ts';

/**
 * Runs a prepared stage until its output is complete, its reader has gone, or `context.signal` aborts;
 * then tears it down and closes both sides. Rejects with what the stage threw, naming the stage. A stage
 * that is stuck in an await of its own is left behind after {@link teardownGraceMs}.
 */
export async function runStage(
  stage: Stage,
  sides: StageSides,
  context: StageContext,
): Promise<void> {
  const { inbox, outbox } = sides;
  const abort = (): void => inbox.abort(context.signal.reason);
  if (context.signal.aborted) abort();
  context.signal.addEventListener('abort', abort, { once: true });
  try {
    if (hasStep(stage)) await runSteps(stage, sides, context);
    else await runGenerator(stage, sides, context);
    if (context.signal.aborted) outbox.fail(context.signal.reason);
    else outbox.close();
  } catch (error) {
    const failure = stageError(stage, error);
    outbox.fail(failure);
    throw failure;
  } finally {
    context.signal.removeEventListener('abort', abort);
    inbox.cancel();
  }
}

/** The error of a stage, saying which: an AntiphonError that names a stage already is kept. */
export function stageError(stage: Pick<Stage, 'name' | 'type'>, error: unknown): AntiphonError {
  if (AntiphonError.is(error)) {
    if (error.stage !== undefined) return error;
    const { hint, retryable, details } = error;
    return new AntiphonError(error.code, error.message, {
      stage: stage.name,
      hint,
      retryable,
      cause: error,
      ...(details === undefined ? {} : { details }),
    });
  }
  const { message } = toAntiphonError(error);
  return new AntiphonError('stage', `stage "${stage.name}" (${stage.type}) failed: ${message}`, {
    stage: stage.name,
    hint: 'See the cause; a stage reports trouble with one element by an `error` element instead of throwing.',
    cause: error,
  });
}

function hasStep(stage: Stage): stage is SteppingStage {
  return stage.step !== undefined;
}

/** Moves what the stage yields to the outbox; one promise per element besides the generator's own. */
async function runGenerator(stage: Stage, sides: StageSides, context: StageContext): Promise<void> {
  const iterator = stage.process(sides.inbox, context)[Symbol.asyncIterator]();
  const drive = new Drive(sides, context.signal);
  const ask = (): void => {
    if (!drive.isOver) iterator.next().then(take, drive.fail);
  };
  const take = (result: IteratorResult<StreamElement>): void => {
    if (drive.isOver) return;
    if (result.done) {
      drive.complete();
      return;
    }
    try {
      const waiting = drive.emit(result.value);
      if (waiting) waiting.then(ask, drive.fail);
      else ask();
    } catch (error) {
      drive.fail(error);
    }
  };
  ask();
  await drive.concluded(() => iterator, context);
}
