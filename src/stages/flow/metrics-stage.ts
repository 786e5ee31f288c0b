/** Measures another stage: its work, its queue, its throughput. */
import type { Kind, StreamElement } from '../../core/element.ts';
import { AntiphonError } from '../../core/errors.ts';
import type { Inbox } from '../../core/stage/inbox.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import { StageMeter, type StageMetrics } from './stage-meter.ts';
import { inboxOf, watchInput } from './watch-input.ts';
import { WrappingStage } from './wrapping-stage.ts';

/** Settings of {@link MetricsStage}. */
export interface MetricsOptions {
  /** An event `metrics` is emitted when so many ms have passed since the last and something moves; 1000 unless given, 0: only at the end of a run. */
  readonly reportEveryMs?: number;
}

/**
 * Takes the place of a stage, under its name, and measures it: the time it works on each element (not
 * the time until others take what it gives), how long elements wait in front of it, how many, how many pass per
 * second. Consumes, emits, drops and fails exactly as the stage does. `snapshot()` reads it at any time,
 * the run tells it by events `metrics` with a {@link StageMetrics}, every second and at the end of a run.
 *
 * Works for stages that take an element, deal with it, and ask for the next, as generators do. Of one that
 * reads ahead while it works, the time in which it waits for input counts as waiting. Memory is bounded:
 * a histogram. Session-safe if the stage is.
 *
 * @example
 * const provider = new MetricsStage(new ProviderStage({ provider }));
 * provider.snapshot().processingMs.p95
 */
export class MetricsStage<Consumes extends Kind, Emits extends Kind> extends WrappingStage<
  Consumes,
  Emits
> {
  readonly #reportEveryMs: number;
  #meter: StageMeter;

  /** Throws `invalid-argument` for a negative interval, or a stage that runs elsewhere. */
  constructor(wrapped: Stage<Consumes, Emits>, { reportEveryMs = 1000 }: MetricsOptions = {}) {
    super(wrapped);
    if (!(reportEveryMs >= 0))
      throw new AntiphonError('invalid-argument', `metrics: reportEveryMs is ${reportEveryMs}`, {
        hint: 'Give milliseconds, 0 or more.',
      });
    this.#reportEveryMs = reportEveryMs;
    this.#meter = new StageMeter(this.name);
  }

  /** Everything measured since the stage was made or `reset()`. */
  snapshot(): StageMetrics {
    return this.#meter.snapshot();
  }

  /** Starts again at nothing. */
  reset(): void {
    this.#meter = new StageMeter(this.name);
  }

  /** Runs the wrapped stage and measures. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const now = (): number => context.clock.now();
    const watch = new WorkWatch(() => this.#meter);
    const queue = new QueueWatch(input, now);
    let reportedAt = now();
    const report = (): void => {
      reportedAt = now();
      context.emit('metrics', this.snapshot());
    };
    const watched = watchInput(input, (result) => {
      if (!result) {
        watch.asks(now());
        return;
      }
      const at = now();
      watch.gets(at, !result.done);
      if (result.done) return;
      this.#meter.taken(at, queue.depth + 1, queue.waited(result.value, at));
      if (this.#reportEveryMs > 0 && at - reportedAt >= this.#reportEveryMs) report();
    });
    try {
      watch.resumes(now());
      for await (const output of this.wrapped.process(watched, context)) {
        watch.pauses(now());
        this.#meter.emitted(output);
        yield output;
        watch.resumes(now());
      }
    } catch (error) {
      if (!context.signal.aborted) this.#meter.threw();
      throw error;
    } finally {
      watch.asks(now());
      report();
    }
  }
}

/** Splits the time of a stage into work, waiting for input and waiting for those who take its output. */
class WorkWatch {
  readonly #meter: () => StageMeter;
  #workingSince: number | undefined;
  #pausedAt: number | undefined;
  #spentMs = 0;
  #hasElement = false;

  constructor(meter: () => StageMeter) {
    this.#meter = meter;
  }

  /** It asks for input: the element before is dealt with. */
  asks(at: number): void {
    this.#stop(at);
    if (this.#hasElement) this.#meter().processed(this.#spentMs);
    this.#hasElement = false;
  }

  gets(at: number, hasElement: boolean): void {
    this.#spentMs = 0;
    this.#hasElement = hasElement;
    if (this.#pausedAt === undefined) this.#workingSince = at;
  }

  /** It gave something. */
  pauses(at: number): void {
    this.#stop(at);
    this.#pausedAt = at;
  }

  /** What it gave was taken. */
  resumes(at: number): void {
    if (this.#pausedAt !== undefined) this.#meter().blocked(at - this.#pausedAt);
    this.#pausedAt = undefined;
    if (this.#hasElement) this.#workingSince = at;
  }

  #stop(at: number): void {
    if (this.#workingSince !== undefined) this.#spentMs += at - this.#workingSince;
    this.#workingSince = undefined;
  }
}

/** Notes when elements arrive in the inbox of a stage; as many times as elements wait, no more. */
class QueueWatch {
  readonly #inbox: Inbox | undefined;
  #arrivals: number[] = [];

  constructor(input: AsyncIterable<StreamElement>, now: () => number) {
    this.#inbox = inboxOf(input);
    const note = (): void => {
      while (this.#arrivals.length < this.depth) this.#arrivals.push(now());
    };
    note();
    this.#inbox?.onArrival(note);
  }

  get depth(): number {
    return this.#inbox?.depth ?? 0;
  }

  /** How long `element`, just taken, waited in ms; undefined when that is not known. */
  waited(element: StreamElement, at: number): number | undefined {
    // An interrupt comes by a lane of its own and waits for nothing.
    const arrived = element.kind === 'interrupt' ? undefined : this.#arrivals.shift();
    // Those that an interrupt voided, and `end`, leave without being taken.
    this.#arrivals.splice(0, this.#arrivals.length - this.depth);
    return arrived === undefined ? undefined : at - arrived;
  }
}
