/** The span of one stage's work on one turn, while it is open. */
import type { StreamElement } from '../../core/element.ts';
import {
  errorStatus,
  otelAttributes,
  spanKind,
  type OtelSpan,
  type OtelTracer,
} from './open-telemetry.ts';
import type { SpanAttributes, TraceSpan } from './trace-recorder.ts';
import { randomId, type TraceIds } from './traceparent.ts';

/** A call of a model, named as in the OpenTelemetry GenAI conventions. */
export interface GenAiOperation {
  /** `chat`, `generate_content`, `text_completion`, or one of your own. */
  readonly name: string;
  /** `openai`, `anthropic`, …, or one of your own. */
  readonly provider: string;
  readonly model: string;
}

/** What a {@link TurnSpan} begins with. */
export interface TurnSpanFacts {
  readonly stage: string;
  readonly turn: number;
  /** Milliseconds on the run's clock. */
  readonly startMs: number;
  readonly conversation: string;
  readonly parent?: TraceIds | undefined;
  readonly operation?: GenAiOperation | undefined;
  readonly tracer?: OtelTracer | undefined;
  /** The OpenTelemetry context of the parent. */
  readonly context?: unknown;
}

/** Opens with its making; `see` what comes out, then `end` it once. */
export class TurnSpan {
  readonly ids: TraceIds;
  readonly #facts: TurnSpanFacts;
  readonly #name: string;
  readonly #otel: OtelSpan | undefined;
  readonly #attributes: Record<string, SpanAttributes[string]>;
  #endMs: number;
  #error: string | undefined;

  constructor(facts: TurnSpanFacts) {
    const { stage, turn, startMs, parent, operation, tracer, conversation } = facts;
    this.#facts = facts;
    this.#endMs = startMs;
    this.#name = operation ? `${operation.name} ${operation.model}` : stage;
    this.#attributes = {
      'antiphon.stage': stage,
      'antiphon.turn': turn,
      ...(conversation === '' ? {} : { 'gen_ai.conversation.id': conversation }),
      ...(operation
        ? {
            'gen_ai.operation.name': operation.name,
            'gen_ai.provider.name': operation.provider,
            'gen_ai.request.model': operation.model,
          }
        : {}),
    };
    this.#otel = tracer?.startSpan(
      this.#name,
      {
        kind: operation ? spanKind.client : spanKind.internal,
        attributes: otelAttributes(this.#attributes),
        startTime: startMs,
      },
      facts.context,
    );
    const { traceId, spanId } = this.#otel?.spanContext() ?? {
      traceId: parent?.traceId ?? randomId(32),
      spanId: randomId(16),
    };
    this.ids = { traceId, spanId };
  }

  /** Something was taken or came out at `atMs`. */
  touch(atMs: number): void {
    this.#endMs = Math.max(this.#endMs, atMs);
  }

  /** Takes from an output what a span tells. */
  see(output: StreamElement, atMs: number): void {
    this.touch(atMs);
    if (output.kind === 'error') this.fail(output.error.code);
    if (!this.#facts.operation) return;
    const firstChunk = 'gen_ai.response.time_to_first_chunk';
    if (output.kind === 'text' && output.delta && this.#attributes[firstChunk] === undefined)
      this.#set(firstChunk, (atMs - this.#facts.startMs) / 1000);
    if (output.kind !== 'message' || output.message.role !== 'assistant') return;
    const { usage, finishReason } = output.message;
    if (finishReason !== undefined) this.#set('gen_ai.response.finish_reasons', [finishReason]);
    if (usage?.inputTokens !== undefined) this.#set('gen_ai.usage.input_tokens', usage.inputTokens);
    if (usage?.outputTokens !== undefined)
      this.#set('gen_ai.usage.output_tokens', usage.outputTokens);
  }

  /** The turn was voided. */
  interrupted(): void {
    this.#set('antiphon.interrupted', true);
  }

  /** The work on the turn went wrong. */
  fail(code: string): void {
    this.#error = code;
    this.#set('error.type', code);
  }

  /** Ends the span where it was last touched. */
  end(): TraceSpan {
    if (this.#error !== undefined)
      this.#otel?.setStatus({ code: errorStatus, message: this.#error });
    this.#otel?.end(this.#endMs);
    const { stage, turn, startMs, parent } = this.#facts;
    return {
      ...this.ids,
      name: this.#name,
      stage,
      turn,
      ...(parent ? { parentSpanId: parent.spanId } : {}),
      startMs,
      endMs: this.#endMs,
      attributes: this.#attributes,
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }

  #set(name: string, value: SpanAttributes[string]): void {
    this.#attributes[name] = value;
    this.#otel?.setAttribute(name, typeof value === 'object' ? [...value] : value);
  }
}
