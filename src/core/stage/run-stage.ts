/** Drives one stage from its inbox to its outbox. */
import type { ChannelWriter } from '../channel/channel.ts';
import type { StreamElement } from '../element.ts';
import { element } from '../element.ts';
import { AntiphonError, toAntiphonError } from '../errors.ts';
import type { InterruptForwarder } from './context.ts';
import type { Inbox } from './inbox.ts';
import type { Stage, StageContext } from './stage.ts';

/** The two sides of a stage in a run. */
export interface StageSides {
  readonly inbox: Inbox;
  readonly outbox: ChannelWriter<StreamElement>;
  readonly forward: InterruptForwarder;
}

/** How long a stage may take to tear itself down once it was told to stop, in ms. */
export const teardownGraceMs = 1000;

/**
 * Runs a prepared stage until its output is complete, its reader has gone, or `context.signal` aborts;
 * then tears it down and closes both sides. Rejects with what the stage threw, naming the stage. A stage
 * that is stuck in an await of its own is left behind after {@link teardownGraceMs}.
 */
export async function runStage(
  stage: Stage,
  { inbox, outbox, forward }: StageSides,
  context: StageContext,
): Promise<void> {
  const abort = (): void => inbox.abort(context.signal.reason);
  if (context.signal.aborted) abort();
  context.signal.addEventListener('abort', abort, { once: true });
  try {
    const iterator = stage.process(inbox, context)[Symbol.asyncIterator]();
    const outcome = await pump(iterator, { inbox, outbox, forward }, context.signal);
    if (outcome === 'stopped') await tearDown(iterator, inbox, context);
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

/**
 * Moves what the stage yields to the outbox. Callbacks instead of a loop of awaits: one promise per
 * element, and an abort gets through while the stage or the outbox keeps us waiting.
 */
function pump(
  iterator: AsyncIterator<StreamElement>,
  { inbox, outbox, forward }: StageSides,
  signal: AbortSignal,
): Promise<'complete' | 'stopped'> {
  return new Promise((resolve, reject) => {
    let end: StreamElement | undefined;
    let settled = false;
    const settle = (act: () => void): void => {
      if (settled) return;
      settled = true;
      signal.removeEventListener('abort', stop);
      outbox.cancelled.removeEventListener('abort', stop);
      act();
    };
    const stop = (): void => settle(() => resolve('stopped'));
    const failed = (error: unknown): void =>
      outbox.cancelled.aborted || signal.aborted ? stop() : settle(() => reject(error));
    const step = (): void => {
      if (!settled) iterator.next().then(take, failed);
    };
    const take = (result: IteratorResult<StreamElement>): void => {
      if (settled) return;
      if (result.done) {
        finish();
        return;
      }
      const value = result.value;
      if (value.kind === 'interrupt') forward.send(value);
      else if (value.kind === 'end') end = value;
      else if (!inbox.isVoid(value)) {
        if (!offer(value)) return;
      }
      step();
    };
    /** True when the outbox took it; otherwise the next step follows the write. */
    const offer = (value: StreamElement): boolean => {
      try {
        if (outbox.offer(value)) return true;
        outbox.write(value).then(step, failed);
      } catch (error) {
        failed(error);
      }
      return false;
    };
    /** `end` leaves last, however early the stage passed it on. */
    const finish = (): void => {
      const last = end ?? inbox.end ?? (inbox.isSource ? element('end', {}) : undefined);
      if (last === undefined) settle(() => resolve('complete'));
      else outbox.write(last).then(() => settle(() => resolve('complete')), failed);
    };
    signal.addEventListener('abort', stop, { once: true });
    outbox.cancelled.addEventListener('abort', stop, { once: true });
    if (signal.aborted || outbox.cancelled.aborted) stop();
    else step();
  });
}

/** Ends the generator; waits for its `finally`, but not forever. */
async function tearDown(
  iterator: AsyncIterator<StreamElement>,
  inbox: Inbox,
  context: StageContext,
): Promise<void> {
  inbox.abort(context.signal.aborted ? context.signal.reason : stoppedReading());
  let timer: ReturnType<typeof setTimeout> | undefined;
  const grace = new Promise<'abandoned'>((resolve) => {
    timer = setTimeout(() => resolve('abandoned'), teardownGraceMs);
  });
  const returned = Promise.resolve(iterator.return?.()).then(
    () => 'returned',
    () => 'returned',
  );
  if ((await Promise.race([returned, grace])) === 'abandoned') context.emit('stage-abandoned');
  clearTimeout(timer);
}

function stoppedReading(): AntiphonError {
  return new AntiphonError('aborted', 'nobody reads what this stage emits any more');
}
