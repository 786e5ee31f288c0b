/** One execution of a pipeline. */
import { abortable } from '../abortable.ts';
import { deferred } from '../deferred.ts';
import { element, type StreamElement } from '../element.ts';
import { AntiphonError, serializeError, toAntiphonError } from '../errors.ts';
import { InterruptForwarder, stageContext } from '../stage/context.ts';
import { teardownGraceMs } from '../stage/drive.ts';
import { Inbox } from '../stage/inbox.ts';
import { runStage, stageError } from '../stage/run-stage.ts';
import type { Stage, StageContext, StageEvent, TurnState } from '../stage/stage.ts';
import { TurnStates, type TurnDefaults } from '../stage/turn-states.ts';
import { AbortFan } from './abort-fan.ts';
import type { ResolvedConfig } from './config.ts';
import { inputStage, type RunInput } from './input-stage.ts';
import type { Plan } from './plan.ts';
import { RunEvents } from './run-events.ts';
import { Watchdog } from './watchdog.ts';
import { wire, type LocalNode, type RemoteNode, type Wiring } from './wiring.ts';

/** Options of one execution. */
export interface RunOptions {
  /** Ends the run, which then rejects with code `aborted`. */
  readonly signal?: AbortSignal;
  /** What the shared state of every turn starts from. */
  readonly turn?: TurnDefaults;
  /** Where the shared state of turns is, instead of the run's own: that of the run this one is nested in. */
  readonly turnState?: (turn: number) => TurnState;
}

/** Starts a prepared stage; the promise settles when it has finished. */
type Start = () => Promise<void>;

/**
 * A pipeline at work: an async iterable of what its leaves emit. Read it, or `drain` it, because leaves
 * wait for their reader. Leaving the loop ends the run and releases everything.
 */
export class PipelineRun implements AsyncIterable<StreamElement> {
  /** Resolves when every stage has finished and is torn down; rejects with the first failure. */
  readonly done: Promise<void>;
  /** Resolves when every stage has prepared and the sources have started; rejects when the run ends before. */
  readonly ready: Promise<void>;
  readonly #config: ResolvedConfig;
  readonly #control = new AbortFan();
  readonly #events = new RunEvents();
  readonly #turnState: (turn: number) => TurnState;
  readonly #watchdog: Watchdog;
  readonly #wiring: Wiring;
  readonly #output: Inbox;
  readonly #inboxes: Inbox[] = [];
  /** Everything that was begun and has to come to an end before the run has. */
  readonly #begun: Promise<unknown>[] = [];
  readonly #ready = deferred<void>();
  readonly #failed = deferred<void>();
  #failure: AntiphonError | undefined;
  #closed = false;

  /** Starts at once. Use `pipeline.execute()`. */
  constructor(plan: Plan, config: ResolvedConfig, input: RunInput, options: RunOptions = {}) {
    this.#config = config;
    const turns = new TurnStates(options.turn);
    this.#turnState = options.turnState ?? ((turn) => turns.of(turn));
    this.#watchdog = new Watchdog(config, (error) => this.fail(error));
    this.#wiring = wire(plan, inputStage(input), config.channelBufferSize, (to) =>
      this.#emit('element-dropped', { to }),
    );
    this.#output = new Inbox(this.#wiring.outputs, { onActivity: this.#touch });
    this.ready = this.#ready.promise;
    this.done = this.#execute(options.signal);
    // Their failures also reach whoever reads the run; neither has to be awaited.
    this.done.catch(() => {});
    this.ready.catch(() => {});
  }

  /** Calls `listener` with every event of the run from now on; returns what takes it off again. */
  on(listener: (event: StageEvent) => void): () => void {
    return this.#events.on(listener);
  }

  /** The events from now on, until the run is over; a reader that falls far behind loses the oldest. */
  get events(): AsyncIterable<StageEvent> {
    return this.#events.stream();
  }

  /** Sends an `interrupt` for `turn` through every stage of the page, and from there downstream. */
  interrupt(turn: number): void {
    const interrupt = element('interrupt', { turn });
    for (const inbox of this.#inboxes) inbox.interrupt(interrupt);
  }

  /** Ends the run as a failure of `error`; the first one counts. */
  fail(error: unknown): void {
    if (this.#closed || this.#failure || this.#control.aborted) return;
    this.#failure = toAntiphonError(error, 'stage');
    this.#failed.resolve();
    this.#control.abort(this.#failure);
    this.#ready.reject(this.#failure);
    this.#output.abort(this.#failure);
  }

  /** Ends the run and waits until everything is released; never rejects. */
  async close(): Promise<void> {
    if (!this.#control.aborted) {
      this.#closed = true;
      const reason = new AntiphonError('aborted', 'the run was closed');
      this.#control.abort(reason);
      this.#ready.reject(reason);
      this.#output.cancel();
    }
    await this.done.catch(() => {});
  }

  /** Reads and forgets all outputs; settles as `done` does. */
  async drain(): Promise<void> {
    try {
      for await (const _ of this);
    } catch {
      // `done` rejects with the same, once everything is released.
    }
    await this.done;
  }

  /**
   * The outputs; one reader. Ends when everything has, rejects with the first failure, also one behind the
   * last output; leaving early closes the run.
   */
  [Symbol.asyncIterator](): AsyncIterator<StreamElement, undefined> {
    return {
      next: () => this.#next(),
      return: async () => {
        await this.close();
        return { done: true, value: undefined };
      },
    };
  }

  /** The next output; nobody waits for a promise more than the output does. */
  #next(): Promise<IteratorResult<StreamElement, undefined>> {
    try {
      const value = this.#output.poll();
      if (value !== undefined) return Promise.resolve({ done: false, value });
    } catch (error) {
      return this.#firstFailure(error);
    }
    return this.#output.next().then(
      async (result) => {
        if (result.done) await this.done;
        return result;
      },
      (error: unknown) => this.#firstFailure(error),
    );
  }

  /** Rejects as `done` will: the failure of a leaf gets to the reader ahead of an earlier one elsewhere. */
  async #firstFailure(met: unknown): Promise<never> {
    await Promise.race([this.#failed.promise, this.done.catch(() => {})]);
    throw this.#failure ?? met;
  }

  readonly #touch = (): void => this.#watchdog.touch();

  async #execute(outer: AbortSignal | undefined): Promise<void> {
    const abort = (): void => this.fail(toAntiphonError(outer?.reason, 'aborted'));
    if (outer?.aborted) abort();
    outer?.addEventListener('abort', abort, { once: true });
    try {
      // Listeners that are added in the same breath as the run hear of its start.
      await Promise.resolve();
      this.#emit('run-started');
      await this.#runStages();
    } catch (error) {
      this.fail(error);
    }
    // A stage that was just being attached may begin to run meanwhile.
    for (let known = 0; known < this.#begun.length;) {
      known = this.#begun.length;
      await Promise.allSettled(this.#begun);
    }
    outer?.removeEventListener('abort', abort);
    this.#watchdog.stop();
    this.#release();
    this.#emit(
      this.#failure ? 'run-failed' : 'run-completed',
      this.#failure && serializeError(this.#failure),
    );
    this.#events.close();
    if (this.#failure) throw this.#failure;
  }

  /** Prepares all stages, starts them, and the sources last; resolves when all have finished. */
  async #runStages(): Promise<void> {
    const locals = this.#wiring.locals.map((node) => ({
      stage: node.stage,
      prepare: this.#local(node),
    }));
    const remotes = this.#wiring.remotes.map((node) => ({
      stage: node.stage,
      prepare: this.#remote(node),
    }));
    const nodes = [...locals, ...remotes];
    const prepare = (sources: boolean): Promise<Start[]> =>
      Promise.all(
        nodes
          .filter(({ stage }) => (stage.source ?? false) === sources)
          .map(({ stage, prepare }) => this.#begin(stage, 'stage-prepared', prepare)),
      );
    const start = (starts: readonly Start[]): Promise<void>[] => starts.map((go) => go());
    const running = start(await prepare(false));
    // A stage that fails while a source is still being prepared must not wait for it.
    const sources = prepare(true).then(start);
    sources.then(
      () => this.#ready.resolve(),
      () => {},
    );
    await Promise.all([...running, sources.then((all) => Promise.all(all))]);
  }

  /** How a stage of the page is prepared, and then run. */
  #local({ stage, readers, writer }: LocalNode): () => Promise<Start> {
    const forward = new InterruptForwarder(writer);
    const inbox = new Inbox(readers, {
      onInterrupt: (interrupt) => forward.send(interrupt),
      onActivity: this.#touch,
    });
    this.#inboxes.push(inbox);
    const context = this.#context(stage, inbox, forward);
    const run = (): Promise<void> => runStage(stage, { inbox, outbox: writer, forward }, context);
    return async () => {
      await abortable(Promise.resolve(stage.prepare?.(context)), context.signal);
      return () => this.#begin(stage, 'stage-completed', run);
    };
  }

  /** How a stage elsewhere is attached, which prepares and starts it, and then awaited. */
  #remote({ stage, ends }: RemoteNode): () => Promise<Start> {
    const context = this.#context(stage, new Inbox([]), undefined);
    const { signal } = context;
    return async () => {
      const graceMs = 3 * teardownGraceMs;
      const { done } = await abortable(stage.attach(ends, context), signal, graceMs);
      const finished = async (): Promise<void> => {
        try {
          await abortable(done, signal, graceMs);
        } catch (error) {
          if (!signal.aborted) throw error;
        }
      };
      // It runs already: its end is awaited even when the run fails before the others start.
      const running = this.#begin(stage, 'stage-completed', finished);
      return () => running;
    };
  }

  /** Does a step of a stage: the run waits for it at its end, fails with it, and tells of it. */
  #begin<T>(stage: Stage, event: string, step: () => Promise<T>): Promise<T> {
    const task = (async () => {
      try {
        const result = await step();
        this.#tell(stage.name, event);
        return result;
      } catch (error) {
        const failure = stageError(stage, error);
        if (!this.#control.aborted) this.#tell(stage.name, 'stage-failed', serializeError(failure));
        this.fail(failure);
        throw failure;
      }
    })();
    task.catch(() => {});
    this.#begun.push(task);
    return task;
  }

  #context(stage: Stage, inbox: Inbox, forward: InterruptForwarder | undefined): StageContext {
    return stageContext(
      stage.name,
      {
        signal: this.#control.signal(),
        clock: this.#config.clock,
        turn: this.#turnState,
        onEvent: (event) => {
          this.#touch();
          if (event.type !== 'activity') this.#events.send(event);
        },
      },
      inbox,
      forward,
    );
  }

  #emit(type: string, detail?: unknown): void {
    this.#tell('', type, detail);
  }

  #tell(stage: string, type: string, detail?: unknown): void {
    const at = this.#config.clock.now();
    this.#events.send({ type, stage, at, ...(detail === undefined ? {} : { detail }) });
  }

  /** Closes what a stage that never started would have closed. */
  #release(): void {
    for (const inbox of this.#inboxes) inbox.cancel();
    // Only those of a stage that was never attached are still here.
    for (const { ends } of this.#wiring.remotes) {
      ends.input?.close();
      for (const port of ends.others ?? []) port.close();
      ends.output.close();
    }
    if (this.#control.aborted)
      for (const { writer } of this.#wiring.locals) writer.fail(this.#control.reason);
    else this.#control.abort(new AntiphonError('aborted', 'the run is over'));
  }
}
