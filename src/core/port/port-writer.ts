/** The writing end of a channel over a MessagePort; works in a page, a worker and Node. */
import { closedError, type ChannelWriter } from '../channel/channel.ts';
import { WaitingWrites } from '../channel/waiting-writes.ts';
import type { StreamElement } from '../element.ts';
import { AntiphonError, serializeError } from '../errors.ts';
import type { ReaderMessage, WriterMessage } from './protocol.ts';
import { handover } from './transferables.ts';

/**
 * Writes elements to `port`, one per credit of the reader; buffers move (see `handover`). Without
 * credit `offer` is false and `write` waits. An interrupt (`overtake`) needs no credit. The port is
 * this writer's alone from now on and closed when the reader cancels.
 */
export function portWriter(port: MessagePort): ChannelWriter<StreamElement> {
  return new PortWriter(port);
}

const accepted: Promise<void> = Promise.resolve();

class PortWriter implements ChannelWriter<StreamElement> {
  readonly #port: MessagePort;
  readonly #waiting = new WaitingWrites<StreamElement>(() => this.#closeAfterLast());
  readonly #cancel = new AbortController();
  #credit = 0;
  #open = true;

  constructor(port: MessagePort) {
    this.#port = port;
    port.addEventListener('message', this.#receive);
    port.start();
  }

  get cancelled(): AbortSignal {
    return this.#cancel.signal;
  }

  get writable(): boolean {
    return this.#open && this.#credit > 0 && this.#waiting.length === 0;
  }

  offer(value: StreamElement): boolean {
    return this.writable && this.#send(value);
  }

  write(value: StreamElement, options?: { readonly signal?: AbortSignal }): Promise<void> {
    try {
      if (this.offer(value)) return accepted;
    } catch (error) {
      return Promise.reject(error);
    }
    if (!this.#open) return Promise.reject(closedError(this.cancelled.reason));
    return this.#waiting.add(value, options?.signal);
  }

  overtake(value: StreamElement): void {
    if (value.kind !== 'interrupt')
      throw new AntiphonError('invalid-argument', `a "${value.kind}" may not overtake`, {
        hint: 'Over a port only interrupts overtake; use write().',
      });
    if (this.#open) this.#post({ type: 'interrupt', value });
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#closeAfterLast();
  }

  fail(reason: unknown): void {
    if (this.#cancel.signal.aborted || (!this.#open && this.#waiting.length === 0)) return;
    this.#open = false;
    this.#waiting.rejectAll(reason);
    this.#finish({ type: 'error', error: serializeError(reason) });
  }

  readonly #receive = (event: MessageEvent<ReaderMessage>): void => {
    const message = event.data;
    if (message.type === 'credit') {
      this.#credit += message.count;
      if (this.#waiting.length === 0) return;
      this.#waiting.drain((value) => this.#credit > 0 && this.#send(value));
      this.#closeAfterLast();
    } else if (message.type === 'cancel') {
      this.#open = false;
      this.#release();
      this.#port.close();
      const reason = new AntiphonError('channel-closed', message.reason);
      this.#waiting.rejectAll(closedError(reason));
      this.#cancel.abort(reason);
    }
  };

  /** Says that nothing follows, once it is closed and nobody waits to write any more. */
  #closeAfterLast(): void {
    if (!this.#open && this.#waiting.length === 0) this.#finish({ type: 'close' });
  }

  #send(value: StreamElement): boolean {
    const { value: sent, transfer } = handover(value);
    try {
      this.#post(sent, transfer);
    } catch (error) {
      throw new AntiphonError('invalid-argument', `a "${value.kind}" element cannot be posted`, {
        hint: 'Give only what structured clone can copy, and never a buffer given away before.',
        cause: error,
      });
    }
    this.#credit -= 1;
    return true;
  }

  #post(message: WriterMessage, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  #finish(message: WriterMessage): void {
    this.#post(message);
    this.#release();
  }

  #release(): void {
    this.#port.removeEventListener('message', this.#receive);
  }
}
