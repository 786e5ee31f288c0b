/** Which buffers move when an element crosses a thread. */
import type { StreamElement } from '../element.ts';

/** An element ready to post and what to transfer with it. */
export interface Handover {
  readonly value: StreamElement;
  readonly transfer: Transferable[];
}

const nothing: Transferable[] = [];

/**
 * The samples of `audio`, `utterance` and `speech` and the bytes of `media` move; everything else is
 * cloned (the bytes inside a message too: its sender keeps it in the history). A view on a part of a buffer is copied first, because a transfer
 * would take the whole buffer from its other views.
 */
export function handover(value: StreamElement): Handover {
  switch (value.kind) {
    case 'audio':
    case 'utterance':
    case 'speech': {
      if (value.samples.length === 0) return { value, transfer: nothing };
      if (value.samples.byteLength === value.samples.buffer.byteLength)
        return { value, transfer: [value.samples.buffer] };
      const samples = value.samples.slice();
      return { value: { ...value, samples }, transfer: [samples.buffer] };
    }
    case 'media': {
      if (typeof value.data === 'string' || value.data.length === 0)
        return { value, transfer: nothing };
      if (value.data.byteLength === value.data.buffer.byteLength)
        return { value, transfer: [value.data.buffer] };
      const data = value.data.slice();
      return { value: { ...value, data }, transfer: [data.buffer] };
    }
    default:
      return { value, transfer: nothing };
  }
}

/** A copy that shares no buffer with `value`; elements without buffers are immutable and returned as they are. */
export function cloneElement(value: StreamElement): StreamElement {
  switch (value.kind) {
    case 'audio':
    case 'utterance':
    case 'speech':
      return { ...value, samples: value.samples.slice() };
    case 'media':
      return typeof value.data === 'string' ? value : { ...value, data: value.data.slice() };
    default:
      return value;
  }
}
