/** W3C trace context (https://www.w3.org/TR/trace-context/): the ids that tie the spans of a turn together. */

/** Where a span belongs: 32 and 16 lower-case hexadecimal digits, neither all zero. */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
}

const pattern = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}(?:-.*)?$/;

/** The ids in a `traceparent` header or `meta.traceparent`; undefined when it is none or invalid. */
export function parseTraceparent(value: unknown): TraceIds | undefined {
  if (typeof value !== 'string' || value.startsWith('ff')) return undefined;
  const [, traceId, spanId] = pattern.exec(value) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  return /^0+$/.test(traceId) || /^0+$/.test(spanId) ? undefined : { traceId, spanId };
}

/** The ids as a `traceparent` of version 00, sampled. */
export function formatTraceparent({ traceId, spanId }: TraceIds): string {
  return `00-${traceId}-${spanId}-01`;
}

/** A random id of so many hexadecimal digits; never all zero. */
export function randomId(digits: 16 | 32): string {
  const bytes = crypto.getRandomValues(new Uint8Array(digits / 2));
  const id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return /^0+$/.test(id) ? randomId(digits) : id;
}
