/** WebSockets without a network, for realms that can't be a server: two ends of a message channel. */
import type { WebSocketClass } from '../../../src/providers/realtime/json-socket.ts';
import { Gates } from '../../../src/testing/servers/gates.ts';
import type { Ground, RoomSocket, StartGround } from '../../../src/testing/servers/room.ts';

type Doors = Parameters<StartGround>[0];

/** What goes through the channel: a frame, or why it ends. */
type Packet =
  | { readonly frame: string | Uint8Array }
  | { readonly code: number; readonly reason: string };

const abnormal = 1006;
const grounds = new Map<string, { readonly doors: Doors; readonly sockets: Set<ServerSocket> }>();
let count = 0;

/** The server's end. */
class ServerSocket implements RoomSocket {
  readyState = 1;
  readonly #port: MessagePort;
  readonly #listeners: Record<string, ((...facts: never[]) => void)[]> = {};

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<Packet>) => {
      if ('frame' in data) this.#tell('message', data.frame, typeof data.frame !== 'string');
      else this.#end(data.code, data.reason);
    };
  }

  on(event: string, listener: (...facts: never[]) => void): void {
    (this.#listeners[event] ??= []).push(listener);
  }

  send(frame: string | Uint8Array): void {
    if (this.readyState === 1) this.#port.postMessage({ frame } satisfies Packet);
  }

  close(code = 1005, reason = ''): void {
    this.#end(code, reason);
  }

  terminate(): void {
    this.#end(abnormal, '');
  }

  #end(code: number, reason: string): void {
    if (this.readyState !== 1) return;
    this.readyState = 3;
    this.#port.postMessage({ code, reason } satisfies Packet);
    this.#tell('close');
  }

  #tell(event: string, ...facts: unknown[]): void {
    for (const listener of this.#listeners[event] ?? []) listener(...(facts as never[]));
  }
}

/** The client's end: as much of a `WebSocket` as is used. */
class ClientSocket extends EventTarget {
  readyState = 0;
  binaryType = 'arraybuffer';
  readonly bufferedAmount = 0;
  readonly #port: MessagePort;

  constructor(url: string, protocols: readonly string[] = []) {
    super();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const { origin, href } = new URL(url);
    const headers = { 'sec-websocket-protocol': protocols.join(',') };
    const handshake = { url: href.slice(origin.length), headers };
    // A handshake takes its time, even here.
    port1.onmessage = () => {
      if (this.readyState !== 0) return;
      const ground = grounds.get(origin);
      if (!ground || ground.doors.admit(handshake)) return this.#over(abnormal, '');
      this.readyState = 1;
      port1.onmessage = ({ data }: MessageEvent<Packet>) => {
        if (!('frame' in data)) return this.#over(data.code, data.reason);
        const { frame } = data;
        const bytes = typeof frame === 'string' ? frame : frame.slice().buffer;
        this.dispatchEvent(new MessageEvent('message', { data: bytes }));
      };
      this.dispatchEvent(new Event('open'));
      const socket = new ServerSocket(port2);
      ground.sockets.add(socket);
      ground.doors.open(socket, handshake);
    };
    port2.postMessage('hello');
  }

  send(frame: string): void {
    if (this.readyState === 1) this.#port.postMessage({ frame } satisfies Packet);
  }

  close(code = 1005, reason = ''): void {
    if (this.readyState === 0) this.#over(abnormal, '');
    if (this.readyState !== 1) return;
    this.readyState = 2;
    this.#port.postMessage({ code, reason } satisfies Packet);
  }

  #over(code: number, reason: string): void {
    this.readyState = 3;
    if (code === abnormal) this.dispatchEvent(new Event('error'));
    this.dispatchEvent(new CloseEvent('close', { code, reason }));
    this.#port.close();
  }
}

/** A `WebSocket` that reaches the grounds of this file. */
export const webSocket = ClientSocket as unknown as WebSocketClass;

/** Starts a ground of this realm. */
export const ground: StartGround = (doors) => {
  count += 1;
  const origin = `ws://memory-${count}.test`;
  const sockets = new Set<ServerSocket>();
  const open = (): ServerSocket[] => [...sockets].filter(({ readyState }) => readyState === 1);
  grounds.set(origin, { doors, sockets });
  return Promise.resolve({
    origin,
    violations: [],
    gates: new Gates(),
    get openSockets() {
      return open().length;
    },
    async idle() {
      await Promise.all(
        open().map((socket) => new Promise<void>((resolve) => socket.on('close', resolve))),
      );
    },
    async close() {
      grounds.delete(origin);
      for (const socket of open()) socket.terminate();
    },
  } satisfies Ground);
};
