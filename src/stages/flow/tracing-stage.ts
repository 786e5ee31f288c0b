/** Traces another stage: a span per turn, W3C trace ids on what it emits. */
import type { Kind, StreamElement } from '../../core/element.ts';
import { toAntiphonError } from '../../core/errors.ts';
import type { Stage, StageContext } from '../../core/stage/stage.ts';
import type { OtelTracer } from './open-telemetry.ts';
import { TraceRecorder } from './trace-recorder.ts';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';
import { TurnSpan, type GenAiOperation } from './turn-span.ts';
import { watchInput } from './watch-input.ts';
import { WrappingStage } from './wrapping-stage.ts';

/** Settings of {@link TracingStage}. */
export interface TracingOptions {
  /** Keeps the finished spans; one of its own unless given. Share one to see all stages in one export. */
  readonly recorder?: TraceRecorder;
  /** Gets every span too, if the run's clock is the realm's own (it takes Unix time). */
  readonly tracer?: OtelTracer;
  /**
   * Makes the tracer's context of a parent, so that the spans of one turn are one trace there:
   * `(traceparent) => propagation.extract(ROOT_CONTEXT, { traceparent })`. Without it each is a trace of its own.
   */
  readonly contextOf?: (traceparent: string) => unknown;
  /** What the stage asks of a model; the span is then named and annotated by the GenAI conventions. */
  readonly operation?: GenAiOperation;
}

const key = 'traceparent';

/**
 * Takes the place of a stage, under its name, and records its work on each turn as a span: from the first
 * element of the turn that it takes or emits to the last one. The span is over, and in the `recorder`, when the
 * `turn-end` of its turn comes out, when four later turns have begun, or with the run; so a reply keeps its span while
 * the person already speaks. Turn 0, which is outside of any turn, is one span per run. Consumes, emits, drops and fails exactly as the
 * stage does; what it emits carries `meta.traceparent`
 * (https://www.w3.org/TR/trace-context/), unless it has one: that is preserved, and is the parent of the span if
 * an element brings it in. The first span of a turn without a parent is the root for the other stages of the turn
 * (by `TurnState.extra.traceparent`, on the page).
 *
 * Spans are annotated with stage, turn, conversation, interruption and error code (`error.type`); with
 * `operation` also with model, finish reason, tokens and the time to the first chunk. What people say and
 * models answer is not recorded. Session-safe if the stage is.
 *
 * @example
 * const operation = { name: 'chat', provider: 'openai', model: 'gpt-5' };
 * const provider = new TracingStage(new ProviderStage(options), { operation });
 * JSON.stringify(provider.recorder.toChromeTrace())
 */
export class TracingStage<Consumes extends Kind, Emits extends Kind> extends WrappingStage<
  Consumes,
  Emits
> {
  /** The finished spans. */
  readonly recorder: TraceRecorder;
  readonly #options: TracingOptions;

  /** Throws `invalid-argument` for a stage that runs elsewhere. */
  constructor(wrapped: Stage<Consumes, Emits>, options: TracingOptions = {}) {
    super(wrapped);
    this.#options = options;
    this.recorder = options.recorder ?? new TraceRecorder();
  }

  /** Runs the wrapped stage and traces it. */
  async *process(
    input: AsyncIterable<StreamElement>,
    context: StageContext,
  ): AsyncGenerator<StreamElement, void, undefined> {
    const spans = new OpenSpans(this.name, this.#options, this.recorder, context);
    const watched = watchInput(input, (result) => {
      if (result && !result.done) spans.taken(result.value);
    });
    try {
      for await (const output of this.wrapped.process(watched, context))
        yield spans.emitted(output);
    } catch (error) {
      if (!context.signal.aborted) spans.fail(toAntiphonError(error, 'stage').code);
      throw error;
    } finally {
      spans.end();
    }
  }
}

/** Turns whose spans may be open at a time, turn 0 apart. */
const openTurns = 4;
/** Turns of which it is known that their span is over. */
const rememberedTurns = 32;

/** The spans of one run that are not over. */
class OpenSpans {
  readonly #stage: string;
  readonly #options: TracingOptions;
  readonly #recorder: TraceRecorder;
  readonly #context: StageContext;
  readonly #open = new Map<number, TurnSpan>();
  /** Turns whose spans are over, the latest of them. */
  readonly #closed = new Set<number>();
  #last: TurnSpan | undefined;

  constructor(
    stage: string,
    options: TracingOptions,
    recorder: TraceRecorder,
    context: StageContext,
  ) {
    this.#stage = stage;
    this.#options = options;
    this.#recorder = recorder;
    this.#context = context;
  }

  taken(element: StreamElement): void {
    if (element.kind === 'end') return;
    if (element.kind === 'interrupt') {
      for (const [turn, span] of this.#open) if (turn <= element.turn) span.interrupted();
      return;
    }
    this.#of(element)?.touch(this.#context.clock.now());
  }

  /** The element with the ids of its turn. */
  emitted(element: StreamElement): StreamElement {
    if (element.kind === 'end' || element.kind === 'interrupt') return element;
    const span = this.#of(element);
    span?.see(element, this.#context.clock.now());
    if (element.kind === 'turn-end' && element.turn !== 0) this.#close(element.turn);
    if (parseTraceparent(element.meta?.[key])) return element;
    // One that comes late, after its span was closed, still belongs to the trace of its turn.
    const traceparent = span
      ? formatTraceparent(span.ids)
      : this.#context.turn(element.turn).extra[key];
    if (traceparent === undefined) return element;
    return { ...element, meta: { ...element.meta, [key]: traceparent } };
  }

  /** The stage threw, at what it had to do with last. */
  fail(code: string): void {
    this.#last?.fail(code);
  }

  end(): void {
    for (const turn of this.#open.keys()) this.#close(turn);
  }

  #close(turn: number): void {
    const span = this.#open.get(turn);
    if (span) this.#recorder.record(span.end());
    this.#open.delete(turn);
    this.#closed.add(turn);
    const [oldest = turn] = this.#closed;
    if (this.#closed.size > rememberedTurns) this.#closed.delete(oldest);
  }

  /** The open span of the element's turn, begun if need be; undefined when it is over. */
  #of(element: StreamElement): TurnSpan | undefined {
    const { turn } = element;
    const known =
      this.#open.get(turn) ?? (this.#closed.has(turn) ? undefined : this.#begin(element));
    this.#last = known ?? this.#last;
    return known;
  }

  #begin({ turn, meta }: StreamElement): TurnSpan {
    const others = [...this.#open.keys()].filter((other) => other !== 0);
    if (turn !== 0 && others.length >= openTurns) this.#close(Math.min(...others));
    const { extra, conversation } = this.#context.turn(turn);
    const parent = parseTraceparent(meta?.[key]) ?? parseTraceparent(extra[key]);
    const { operation, tracer, contextOf } = this.#options;
    const span = new TurnSpan({
      stage: this.#stage,
      turn,
      startMs: this.#context.clock.now(),
      conversation,
      parent,
      operation,
      tracer,
      context: parent && contextOf?.(formatTraceparent(parent)),
    });
    this.#open.set(turn, span);
    extra[key] ??= formatTraceparent(span.ids);
    return span;
  }
}
