/**
 * The two ends of the port protocol (`core/port/protocol.ts`) for a worklet, where nothing can be
 * awaited: messages are sent and received, and who sends minds the credit.
 */
import type { InterruptElement, StreamElement } from '../core/element.ts';
import type { ErrorData } from '../core/errors.ts';
import { isElement, type ReaderMessage, type WriterMessage } from '../core/port/protocol.ts';

/** What a {@link WorkletWriter} hears from its reader. */
export interface WorkletWriterEvents {
  /** There is credit again. */
  credited(): void;
  /** Nobody will read again; the port is closed. */
  cancelled(): void;
}

/** Writes to a port, one element per credit; `write` without credit is the caller's mistake. */
export class WorkletWriter {
  readonly #port: MessagePort;
  // Reused, so that sending a frame allocates nothing here; what is posted is a copy.
  readonly #moved: ArrayBuffer[] = [];
  #credit = 0;
  #open = true;

  /** @param port this writer's alone from now on */
  constructor(port: MessagePort, events: WorkletWriterEvents) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<ReaderMessage>): void => {
      if (!this.#open) return;
      if (data.type === 'credit') {
        this.#credit += data.count;
        events.credited();
      } else {
        this.#open = false;
        port.close();
        events.cancelled();
      }
    };
  }

  /** Elements that may be written now. */
  get credit(): number {
    return this.#open ? this.#credit : 0;
  }

  /** False once closed or cancelled. */
  get open(): boolean {
    return this.#open;
  }

  /** Sends an element; `buffer`, when given, moves with it. */
  write(value: StreamElement, buffer?: ArrayBuffer): void {
    if (!this.#open) return;
    this.#credit -= 1;
    if (buffer) this.#moved[0] = buffer;
    else this.#moved.length = 0;
    this.#port.postMessage(value, this.#moved);
  }

  /** Sends an interrupt, which needs no credit. */
  interrupt(value: InterruptElement): void {
    this.#post({ type: 'interrupt', value });
  }

  /** Ends the stream: with `error` in failure. The reader closes the port when it has read that. */
  close(error?: ErrorData): void {
    this.#post(error ? { type: 'error', error } : { type: 'close' });
    this.#open = false;
  }

  #post(message: WriterMessage): void {
    if (this.#open) this.#port.postMessage(message);
  }
}

/** What a {@link WorkletReader} hears from its writer. */
export interface WorkletReaderEvents {
  data(element: StreamElement): void;
  interrupt(element: InterruptElement): void;
  /** The stream is over; nothing else comes. */
  closed(error?: ErrorData): void;
}

/** Reads from a port; grants `window` credits at once and one more per `grant`. */
export class WorkletReader {
  readonly #port: MessagePort;
  #open = true;

  /** @param port this reader's alone from now on */
  constructor(port: MessagePort, window: number, events: WorkletReaderEvents) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<WriterMessage>): void => {
      if (!this.#open) return;
      if (isElement(data)) events.data(data);
      else if (data.type === 'interrupt') events.interrupt(data.value);
      else {
        this.#open = false;
        port.close();
        events.closed(data.type === 'error' ? data.error : undefined);
      }
    };
    this.#post({ type: 'credit', count: window });
  }

  /** Allows the writer one more element. */
  grant(): void {
    this.#post({ type: 'credit', count: 1 });
  }

  /** Tells the writer that nobody will read again and closes the port. */
  cancel(reason: string): void {
    this.#post({ type: 'cancel', reason });
    this.#open = false;
    this.#port.close();
  }

  #post(message: ReaderMessage): void {
    if (this.#open) this.#port.postMessage(message);
  }
}
