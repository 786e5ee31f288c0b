/** The far ends of the engines' ports, for tests: they speak the protocol literally and keep what came. */
import type { StreamElement } from '../../../src/core/element.ts';
import { isElement, type PortMessage } from '../../../src/core/port/protocol.ts';

/** One end for the engine, the other kept here. */
export class FarEnd<Message = PortMessage> {
  readonly port: MessagePort;
  readonly received: Message[] = [];
  readonly #here: MessagePort;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port = port2;
    this.#here = port1;
    port1.onmessage = ({ data }: MessageEvent<Message>) => this.received.push(data);
  }

  send(message: unknown, transfer: Transferable[] = []): void {
    this.#here.postMessage(message, transfer);
  }

  close(): void {
    this.#here.close();
    this.port.close();
  }
}

/** Elements among what was received. */
export function elementsOf(end: FarEnd): StreamElement[] {
  return end.received.filter(isElement);
}

/** What a message is: the kind of an element, or the type of what is none. */
export const kindOf = (message: PortMessage): string =>
  isElement(message) ? message.kind : message.type;

/** Credits granted so far. */
export function creditOf(end: FarEnd): number {
  return end.received.reduce(
    (sum, m) => sum + (!isElement(m) && m.type === 'credit' ? m.count : 0),
    0,
  );
}
