/** Message ports without a thread behind them: what is posted arrives in order, before time goes on. */

/** A pair of ports, each the other's end. */
export type PortPair = Pick<MessageChannel, 'port1' | 'port2'>;

/**
 * One end. Messages are structured clones, transfers detach, as with real ports; they are delivered one
 * microtask each, whereas real ports deliver when the event loop gets round to it.
 */
class SimulatedPort extends EventTarget {
  peer: SimulatedPort | undefined;
  readonly #onPost: () => void;
  readonly #waiting: unknown[] = [];
  #onmessage: ((event: MessageEvent) => void) | null = null;
  #started = false;
  #closed = false;

  constructor(onPost: () => void) {
    super();
    this.#onPost = onPost;
  }

  get onmessage(): ((event: MessageEvent) => void) | null {
    return this.#onmessage;
  }

  set onmessage(listener: ((event: MessageEvent) => void) | null) {
    this.#onmessage = listener;
    if (listener) this.start();
  }

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    const data: unknown = structuredClone(message, { transfer });
    this.#onPost();
    queueMicrotask(() => this.peer?.arrive(data));
  }

  start(): void {
    this.#started = true;
    for (const data of this.#waiting.splice(0)) this.arrive(data);
  }

  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
  }

  arrive(data: unknown): void {
    if (this.#closed) return;
    if (!this.#started) {
      this.#waiting.push(data);
      return;
    }
    const event = new MessageEvent('message', { data });
    this.#onmessage?.(event);
    this.dispatchEvent(event);
  }
}

/** Joined ports; `onPost` is told of every message, from either side. */
export function simulatedChannel(onPost: () => void = () => {}): PortPair {
  const [port1, port2] = [new SimulatedPort(onPost), new SimulatedPort(onPost)];
  port1.peer = port2;
  port2.peer = port1;
  return { port1: asPort(port1), port2: asPort(port2) };
}

/** What the SDK uses of a port is there; the rest of the interface is not. */
function asPort(port: SimulatedPort): MessagePort {
  return port as unknown as MessagePort;
}
