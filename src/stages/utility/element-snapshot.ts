/** An element as facts fit for a log: no samples, no bytes, no secrets. */
import type { MessagePart, StreamElement } from '../../core/element.ts';
import { samplesToMs } from '../../core/time.ts';
import { credentialPattern } from '../../providers/http/key-shapes.ts';

const secretName =
  /pass(?:word|phrase|wd)|secret|credential|authori[sz]ation|cookie|api[-_]?key|private[-_]?key|^(?:key|auth|token)$|(?:access|auth|refresh|id|bearer|session)[-_]?token/i;

const mask = '•••';
const deepest = 6;
const mostItems = 50;

/** The text without what looks like a secret, cut to `previewLength`. */
function preview(text: string, previewLength: number): string {
  const shown = text.replaceAll(credentialPattern, mask);
  if (shown.length <= previewLength) return shown;
  return `${shown.slice(0, previewLength)}… (${text.length} characters)`;
}

function binary(value: ArrayBufferView | ArrayBuffer): string {
  return `${value.byteLength} bytes`;
}

/** Any value, bounded in depth and breadth, masked. */
function safe(value: unknown, previewLength: number, depth = 0): unknown {
  if (typeof value === 'string') return preview(value, previewLength);
  if (typeof value === 'function' || typeof value === 'symbol') return typeof value;
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return binary(value);
  if (depth === deepest) return '…';
  if (Array.isArray(value))
    return value.slice(0, mostItems).map((item) => safe(item, previewLength, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, mostItems)
      .map(([name, item]) => [
        name,
        secretName.test(name) ? mask : safe(item, previewLength, depth + 1),
      ]),
  );
}

function partFacts(part: MessagePart, previewLength: number): unknown {
  if (part.type === 'text' || part.type === 'reasoning')
    return { type: part.type, text: preview(part.text, previewLength) };
  return { type: part.type, mediaType: part.mediaType, data: dataFacts(part.data) };
}

/** A URL may carry a token and a data URL the file itself, so only its kind and length are shown. */
function dataFacts(data: string | ArrayBufferView): string {
  if (typeof data !== 'string') return binary(data);
  return `${/^[a-z][a-z\d+.-]*(?=:)/i.exec(data)?.[0] ?? 'text'}: ${data.length} characters`;
}

/**
 * What a log may show of an element. Texts are cut to `previewLength` UTF-16 units; samples become a
 * count and a duration; the values of secrets are masked.
 */
export function snapshot(
  item: StreamElement,
  previewLength: number,
): Readonly<Record<string, unknown>> {
  const { kind: _kind, ...fields } = item;
  switch (item.kind) {
    case 'audio':
    case 'utterance':
    case 'speech': {
      const { length } = item.samples;
      const durationMs = samplesToMs(length, item.sampleRate);
      return facts({ ...fields, samples: length, durationMs }, previewLength);
    }
    case 'media':
      return facts({ ...fields, data: dataFacts(item.data) }, previewLength);
    case 'message': {
      const parts = item.message.parts.map((part) => partFacts(part, previewLength));
      const { message: _message, ...rest } = fields as typeof item;
      return {
        ...facts(rest, previewLength),
        message: { ...facts({ ...item.message, parts: [] }, previewLength), parts },
      };
    }
    default:
      return facts(fields, previewLength);
  }
}

function facts(fields: object, previewLength: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      secretName.test(name) ? mask : safe(value, previewLength),
    ]),
  );
}
