/**
 * The wire between two threads. An element is a message as it is, recognised by its `kind`: an envelope around
 * it would cost a third of the hop (`npm run bench`). Everything else is keyed by `type`. The reader opens by
 * granting `credit`; the writer spends one per element; the reader grants one more when its consumer *takes* an
 * element, so that queued + in flight never exceeds the window. After the idea of the cross-realm transform of the
 * Streams standard (https://streams.spec.whatwg.org/#rs-transfer), with ownership moved instead of cloned.
 */
import type { InterruptElement, StreamElement } from '../element.ts';
import type { ErrorData } from '../errors.ts';

/** Writer → reader. `interrupt` needs no credit and overtakes; `close` follows the last element; `error` discards what is queued. */
export type WriterMessage =
  | StreamElement
  | { readonly type: 'interrupt'; readonly value: InterruptElement }
  | { readonly type: 'close' }
  | { readonly type: 'error'; readonly error: ErrorData };

/** Reader → writer. `cancel`: nobody will read again. */
export type ReaderMessage =
  | { readonly type: 'credit'; readonly count: number }
  | { readonly type: 'cancel'; readonly reason: string };

/** Everything that may arrive at a port that carries elements. */
export type PortMessage = WriterMessage | ReaderMessage;

/** True for a message that is an element. */
export function isElement(message: PortMessage): message is StreamElement {
  return 'kind' in message;
}
