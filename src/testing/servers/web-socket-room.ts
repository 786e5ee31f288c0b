/** A WebSocket server on the loopback interface: the ground the realtime protocol servers stand on. */
import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { Gates } from './gates.ts';
import { LoopbackServer } from './loopback-server.ts';

/** Why a handshake is refused. */
export interface Refusal {
  readonly message: string;
  readonly status: number;
}

/** What a protocol makes of a connection. */
export interface RoomProtocol<Session> {
  /** Judges a handshake; a refusal is recorded as a violation unless `expected`. */
  admit(request: IncomingMessage): (Refusal & { readonly expected?: boolean }) | undefined;
  /** Of the subprotocols the client offers, the one the server speaks; undefined: none. */
  readonly subprotocol?: string;
  /** Takes over an open socket. */
  open(socket: WebSocket, request: IncomingMessage): Session;
}

/** Accepts connections and keeps their sessions, oldest first. */
export class WebSocketRoom<Session> {
  /** The sessions so far, over or not. */
  readonly sessions: Session[] = [];
  readonly #http: LoopbackServer;
  #waiting: (() => void)[] = [];

  private constructor(http: LoopbackServer) {
    this.#http = http;
  }

  /** Starts a server on a free port. */
  static async start<Session>(protocol: RoomProtocol<Session>): Promise<WebSocketRoom<Session>> {
    const { subprotocol } = protocol;
    // An optional peer: who needs servers of HTTP only does not install it.
    const { WebSocketServer } = await import('ws');
    const sockets = new WebSocketServer({
      noServer: true,
      maxPayload: 32 * 1024 * 1024,
      handleProtocols: () => subprotocol ?? false,
    });
    const http = await LoopbackServer.start({
      onUpgrade: (request, socket, head) => {
        const refusal = protocol.admit(request);
        if (refusal) {
          if (refusal.expected !== true) http.violations.push(refusal.message);
          socket.end(`HTTP/1.1 ${refusal.status} Refused\r\nconnection: close\r\n\r\n`);
          return;
        }
        sockets.handleUpgrade(request, socket, head, (open) => {
          room.sessions.push(protocol.open(open, request));
          for (const wake of room.#waiting.splice(0)) wake();
        });
      },
    });
    const room = new WebSocketRoom<Session>(http);
    return room;
  }

  /** `ws://127.0.0.1:<port>`. */
  get origin(): string {
    return this.#http.origin.replace(/^http/, 'ws');
  }

  /** Every breach of the protocol; a test that expects none asserts that this is empty. */
  get violations(): string[] {
    return this.#http.violations;
  }

  /** Where scripts wait. */
  get gates(): Gates {
    return this.#http.gates;
  }

  /** Connections that are not over. */
  get openSockets(): number {
    return this.#http.openSockets;
  }

  /** Resolves with the session of this number, the first being 1, once it is there. */
  async session(number: number): Promise<Session> {
    for (;;) {
      const session = this.sessions[number - 1];
      if (session) return session;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Resolves when no connection is left. */
  idle(): Promise<void> {
    return this.#http.idle();
  }

  /** Cuts every connection and frees the port. */
  close(): Promise<void> {
    return this.#http.close();
  }
}
