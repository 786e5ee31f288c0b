/** The worker's side of `inWorker`: makes the stages it is asked for and runs them between two ports. */
import { expose, type Endpoint } from 'comlink';
import { AntiphonError, deserializeError, serializeError } from '../errors.ts';
import { portReader } from '../port/port-reader.ts';
import { portWriter } from '../port/port-writer.ts';
import { wallClock } from '../time.ts';
import { InterruptForwarder, stageContext } from './context.ts';
import type { HostApi, HostNotice, OpenRequest, Outcome } from './host-protocol.ts';
import { Inbox } from './inbox.ts';
import type { StageSides } from './drive.ts';
import { runStage, stageError } from './run-stage.ts';
import type { Stage, StageContext, StageEvent } from './stage.ts';
import { TurnStates } from './turn-states.ts';

/** Makes a stage from the options the page gave. Called once per run: keep loaded models outside of it. */
export type StageFactory = (options: never) => Stage | Promise<Stage>;

const activityEveryMs = 1000;

/**
 * Offers stages to `inWorker` of the page that made this worker. Call it once, at the top of the worker's
 * file, before anything asynchronous.
 *
 * @param scope where the page's messages arrive: the worker's global scope unless given.
 *
 * @example
 * hostStages({ words: (options: { language: string }) => new WordsStage(options) });
 */
export function hostStages(
  factories: Readonly<Record<string, StageFactory>>,
  scope: Endpoint = globalThis as unknown as Endpoint,
): void {
  const stages = new Map<number, HostedStage>();
  const api: HostApi = {
    open: (request) =>
      outcomeOf(async () => {
        const hosted = new HostedStage(request);
        stages.set(request.id, hosted);
        await hosted.open(factories);
      }),
    finished: (id) =>
      outcomeOf(async () => {
        try {
          await stages.get(id)?.done;
        } finally {
          stages.delete(id);
        }
      }),
    abort: (id, reason) =>
      outcomeOf(() => stages.get(id)?.controller.abort(deserializeError(reason))),
  };
  expose(api, scope);
}

async function outcomeOf(act: () => void | Promise<void>): Promise<Outcome> {
  try {
    await act();
    return { ok: true };
  } catch (error) {
    return { ok: false, error: serializeError(error) };
  }
}

/** One stage of one run. */
class HostedStage {
  readonly controller = new AbortController();
  readonly #request: OpenRequest;
  /** Settles when the stage has finished and is disposed. */
  done: Promise<void> = Promise.resolve();

  constructor(request: OpenRequest) {
    this.#request = request;
  }

  /** Makes, prepares and starts the stage. */
  async open(factories: Readonly<Record<string, StageFactory>>): Promise<void> {
    const { name, options, ends } = this.#request;
    const touch = this.#activity();
    const outbox = portWriter(ends.output);
    const window = ends.window === undefined ? {} : { window: ends.window };
    const inputs = ends.input ? [ends.input, ...(ends.others ?? [])] : [];
    const readers = inputs.map((port) => portReader(port, window));
    const inbox = new Inbox(readers, {
      onInterrupt: (interrupt) => forward.send(interrupt),
      onActivity: touch,
    });
    const forward = new InterruptForwarder(outbox);
    const context = this.#context(inbox, forward);
    let stage: Stage | undefined;
    try {
      const factory = Object.hasOwn(factories, name) ? factories[name] : undefined;
      if (!factory) throw unknownStage(name, Object.keys(factories));
      stage = await factory(options as never);
      await stage.prepare?.(context);
      this.controller.signal.throwIfAborted();
    } catch (error) {
      const failure = stageError(
        { name: this.#request.stage, type: stage?.type ?? 'transform' },
        error,
      );
      outbox.fail(failure);
      inbox.cancel(failure);
      await this.#close(stage);
      throw failure;
    }
    this.done = this.#run(stage, { inbox, outbox, forward }, context);
    // `finished` is asked for later; an early failure waits for it.
    this.done.catch(() => {});
  }

  async #run(stage: Stage, sides: StageSides, context: StageContext): Promise<void> {
    const { type, consumes, emits } = stage;
    // Errors speak of the stage by its name in the graph.
    const named: Stage = {
      name: this.#request.stage,
      type,
      consumes,
      emits,
      process: (input, context) => stage.process(input, context),
      ...(stage.step ? { step: stage.step.bind(stage) } : {}),
    };
    try {
      await runStage(named, sides, context);
    } finally {
      await this.#close(stage);
    }
  }

  async #close(stage: Stage | undefined): Promise<void> {
    await stage?.dispose?.();
    this.#request.notices.close();
  }

  #context(inbox: Inbox, forward: InterruptForwarder): StageContext {
    const turns = new TurnStates();
    const facts = {
      signal: this.controller.signal,
      clock: wallClock,
      turn: (turn: number) => turns.of(turn),
      onEvent: (event: StageEvent) => this.#post({ type: 'event', event }),
    };
    return stageContext(this.#request.stage, facts, inbox, forward);
  }

  /** Tells the page that something moved, at most once a second. */
  #activity(): () => void {
    let toldAt = 0;
    return () => {
      const now = performance.now();
      if (now - toldAt < activityEveryMs) return;
      toldAt = now;
      this.#post({ type: 'activity' });
    };
  }

  #post(notice: HostNotice): void {
    try {
      this.#request.notices.postMessage(notice);
    } catch {
      // A detail that cannot be cloned: tell at least that it happened.
      if (notice.type === 'activity') return;
      const { type, stage, at } = notice.event;
      this.#request.notices.postMessage({ type: 'event', event: { type, stage, at } });
    }
  }
}

function unknownStage(name: string, known: readonly string[]): AntiphonError {
  return new AntiphonError('invalid-argument', `this worker hosts no stage "${name}"`, {
    hint: `It hosts ${known.join(', ')}; use one of these names or add it to hostStages().`,
  });
}
