/** The ground the realtime protocol servers stand on: connections by WebSocket, wherever they come from. */
import type { Gates } from './gates.ts';

/** What a client asks for when it connects. */
export interface Handshake {
  /** Path and query. */
  readonly url?: string | undefined;
  /** By lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** The server's end of a WebSocket, as the package `ws` has it. */
export interface RoomSocket {
  /** 1 while it is open. */
  readonly readyState: number;
  /** What the client sends: anything whose `toString` gives the text of a frame. */
  on(event: 'message', listener: (data: unknown, isBinary: boolean) => void): unknown;
  on(event: 'close' | 'error', listener: () => void): unknown;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  /** Cuts the connection. */
  terminate(): void;
}

/** Why a handshake is refused. */
export interface Refusal {
  readonly message: string;
  readonly status: number;
  /** The script wants it so; else it is recorded as a violation. */
  readonly expected?: boolean;
}

/** What a protocol makes of a connection. */
export interface RoomProtocol<Session> {
  /** Judges a handshake. */
  admit(handshake: Handshake): Refusal | undefined;
  /** Of the subprotocols the client offers, the one the server speaks; undefined: none. */
  readonly subprotocol?: string;
  /** Takes over an open socket. */
  open(socket: RoomSocket, handshake: Handshake): Session;
}

/** Where connections come from. */
export interface Ground {
  /** `ws://127.0.0.1:<port>`, or what else clients connect to. */
  readonly origin: string;
  /** Every breach of the protocol; a test that expects none asserts that this is empty. */
  readonly violations: string[];
  /** Where scripts wait. */
  readonly gates: Gates;
  /** Connections that are not over. */
  readonly openSockets: number;
  /** Resolves when no connection is left. */
  idle(): Promise<void>;
  /** Cuts every connection and takes no more. */
  close(): Promise<void>;
}

/** Makes a ground: `connect` judges a handshake, `open` takes over the socket of one that was not refused. */
export type StartGround = (doors: {
  readonly subprotocol: string | undefined;
  readonly admit: (handshake: Handshake) => Refusal | undefined;
  readonly open: (socket: RoomSocket, handshake: Handshake) => void;
}) => Promise<Ground>;

/** Real sockets of the loopback interface. */
const loopback: StartGround = async (doors) =>
  (await import('./web-socket-ground.ts')).webSocketGround(doors);

/** Accepts connections and keeps their sessions, oldest first. */
export class Room<Session> {
  /** The sessions so far, over or not. */
  readonly sessions: Session[] = [];
  readonly ground: Ground;
  #waiting: (() => void)[] = [];

  private constructor(ground: Ground) {
    this.ground = ground;
  }

  /** Opens it, for real sockets unless told otherwise. */
  static async open<Session>(
    protocol: RoomProtocol<Session>,
    start: StartGround = loopback,
  ): Promise<Room<Session>> {
    const room: Room<Session> = new Room<Session>(
      await start({
        subprotocol: protocol.subprotocol,
        admit: (handshake) => {
          const refusal = protocol.admit(handshake);
          if (refusal && refusal.expected !== true) room.ground.violations.push(refusal.message);
          return refusal;
        },
        open: (socket, handshake) => {
          room.sessions.push(protocol.open(socket, handshake));
          for (const wake of room.#waiting.splice(0)) wake();
        },
      }),
    );
    return room;
  }

  /** Resolves with the session of this number, the first being 1, once it is there. */
  async session(number: number): Promise<Session> {
    for (;;) {
      const session = this.sessions[number - 1];
      if (session) return session;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
