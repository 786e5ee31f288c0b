/** As much of the OpenTelemetry API (`@opentelemetry/api`) as tracing needs, by shape: no dependency. */
import type { SpanAttributes } from './trace-recorder.ts';

/** A `Span`. */
export interface OtelSpan {
  spanContext(): { readonly traceId: string; readonly spanId: string };
  setAttribute(name: string, value: string | number | boolean | string[]): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  /** @param endTime Unix time in ms. */
  end(endTime?: number): void;
}

/** A `Tracer`, as `trace.getTracer('antiphon')` gives one. */
export interface OtelTracer {
  startSpan(
    name: string,
    options?: {
      /** A `SpanKind`: 0 is INTERNAL, 2 is CLIENT. */
      kind?: number;
      attributes?: Record<string, string | number | boolean | string[]>;
      /** Unix time in ms. */
      startTime?: number;
    },
    context?: unknown,
  ): OtelSpan;
}

/** `SpanKind` of the OpenTelemetry API. */
export const spanKind = { internal: 0, client: 2 } as const;

/** `SpanStatusCode.ERROR` of the OpenTelemetry API. */
export const errorStatus = 2;

/** Attributes as the API wants them: its arrays are not read-only. */
export function otelAttributes(
  attributes: SpanAttributes,
): Record<string, string | number | boolean | string[]> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name,
      typeof value === 'object' ? [...value] : value,
    ]),
  );
}
