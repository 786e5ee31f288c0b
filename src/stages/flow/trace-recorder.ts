/** Finished spans in bounded memory, and their export for trace viewers. */
import { AntiphonError } from '../../core/errors.ts';
import type { TraceIds } from './traceparent.ts';

/** What a span may be annotated with, as in OpenTelemetry. */
export type SpanAttributes = Readonly<
  Record<string, string | number | boolean | readonly string[]>
>;

/** The work of one stage on one turn. */
export interface TraceSpan extends TraceIds {
  readonly name: string;
  /** The stage. */
  readonly stage: string;
  readonly turn: number;
  /** The span above it; absent at the root of a trace. */
  readonly parentSpanId?: string;
  /** Both in ms of the run's clock. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  /** Code of the error it ended with. */
  readonly error?: string;
}

/** One event of the Trace Event Format (the "Chrome trace"), as far as it is used here. */
export interface ChromeTraceEvent {
  readonly name: string;
  readonly cat: string;
  /** `X`: a complete event; `M`: metadata. */
  readonly ph: 'X' | 'M';
  /** Microseconds, from the first span. */
  readonly ts: number;
  /** Microseconds. */
  readonly dur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly args: Readonly<Record<string, unknown>>;
}

/** A file for chrome://tracing, Perfetto and the like, once it is `JSON.stringify`ed. */
export interface ChromeTrace {
  readonly traceEvents: readonly ChromeTraceEvent[];
  readonly displayTimeUnit: 'ms';
}

/** Keeps the latest finished spans; several `TracingStage`s may share one. */
export class TraceRecorder {
  readonly #capacity: number;
  #spans: TraceSpan[] = [];

  /** @param capacity the most spans kept, the oldest go first; 4096 unless given. Throws `invalid-argument` below 1. */
  constructor(capacity: number = 4096) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new AntiphonError('invalid-argument', `TraceRecorder: capacity is ${capacity}`, {
        hint: 'Give an integer of at least 1.',
      });
    this.#capacity = capacity;
  }

  /** The spans, in the order in which they ended. */
  get spans(): readonly TraceSpan[] {
    return this.#spans.slice(-this.#capacity);
  }

  /** Keeps a finished span. */
  record(span: TraceSpan): void {
    this.#spans.push(span);
    if (this.#spans.length >= 2 * this.#capacity) this.#spans = this.#spans.slice(-this.#capacity);
  }

  /** Forgets everything. */
  clear(): void {
    this.#spans = [];
  }

  /**
   * The spans in the Trace Event Format
   * (https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU): one row per stage.
   */
  toChromeTrace(): ChromeTrace {
    const { spans } = this;
    const rows = [...new Set(spans.map(({ stage }) => stage))];
    const origin = spans.reduce((first, { startMs }) => Math.min(first, startMs), Infinity);
    const names = rows.map((name, row): ChromeTraceEvent => ({
      name: 'thread_name',
      cat: '__metadata',
      ph: 'M',
      ts: 0,
      pid: 1,
      tid: row + 1,
      args: { name },
    }));
    const events = spans.map(
      ({ name, stage, turn, startMs, endMs, attributes, traceId, spanId, parentSpanId, error }) =>
        ({
          name,
          cat: 'stage',
          ph: 'X',
          ts: Math.round((startMs - origin) * 1000),
          dur: Math.round((endMs - startMs) * 1000),
          pid: 1,
          tid: rows.indexOf(stage) + 1,
          args: { turn, traceId, spanId, parentSpanId, error, ...attributes },
        }) satisfies ChromeTraceEvent,
    );
    return { traceEvents: [...names, ...events], displayTimeUnit: 'ms' };
  }
}
