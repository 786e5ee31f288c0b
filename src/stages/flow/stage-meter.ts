/** The counts and times of one stage, and how its work is told from its waiting. */
import type { StreamElement } from '../../core/element.ts';
import { Histogram, type Distribution } from './histogram.ts';

/** What a `MetricsStage` measured, over all its runs since it was made or reset; times in ms of the run's clock. */
export interface StageMetrics {
  readonly stage: string;
  /** Elements taken, control included. */
  readonly elementsIn: number;
  readonly elementsOut: number;
  /** `error` elements among those out, and throws. */
  readonly errors: number;
  /** Per element: the time the stage worked on it, from taking it to asking for the next, without waiting downstream. */
  readonly processingMs: Distribution;
  /** Per element: how long it waited in front of the stage; nothing is recorded outside a pipeline. */
  readonly waitMs: Distribution;
  /** Elements in front of the stage as each was taken, itself included. */
  readonly queueDepth: { readonly mean: number; readonly max: number };
  /** Total time for which nobody took what the stage gave (backpressure). */
  readonly blockedMs: number;
  /** Elements taken per second between the first and the last; 0 before the second. */
  readonly throughputPerSecond: number;
}

/** Gathers; every call costs the same few operations and no memory. */
export class StageMeter {
  readonly #stage: string;
  readonly #processing = new Histogram();
  readonly #wait = new Histogram();
  #in = 0;
  #out = 0;
  #errors = 0;
  #blockedMs = 0;
  #depthSum = 0;
  #depthMax = 0;
  #firstAt = 0;
  #lastAt = 0;

  constructor(stage: string) {
    this.#stage = stage;
  }

  /** An element was taken at `at`; `depth` counts it and those behind it. */
  taken(at: number, depth: number, waitMs: number | undefined): void {
    if (this.#in === 0) this.#firstAt = at;
    this.#in += 1;
    this.#lastAt = at;
    this.#depthSum += depth;
    this.#depthMax = Math.max(this.#depthMax, depth);
    if (waitMs !== undefined) this.#wait.record(waitMs);
  }

  /** The work on an element is done. */
  processed(ms: number): void {
    this.#processing.record(ms);
  }

  /** An element came out. */
  emitted(element: StreamElement): void {
    this.#out += 1;
    if (element.kind === 'error') this.#errors += 1;
  }

  /** The stage threw. */
  threw(): void {
    this.#errors += 1;
  }

  /** What the stage gave was taken after `ms`. */
  blocked(ms: number): void {
    this.#blockedMs += ms;
  }

  /** Everything so far. */
  snapshot(): StageMetrics {
    const seconds = (this.#lastAt - this.#firstAt) / 1000;
    return {
      stage: this.#stage,
      elementsIn: this.#in,
      elementsOut: this.#out,
      errors: this.#errors,
      processingMs: this.#processing.summary(),
      waitMs: this.#wait.summary(),
      queueDepth: {
        mean: this.#in === 0 ? 0 : this.#depthSum / this.#in,
        max: this.#depthMax,
      },
      blockedMs: this.#blockedMs,
      throughputPerSecond: seconds > 0 ? (this.#in - 1) / seconds : 0,
    };
  }
}
