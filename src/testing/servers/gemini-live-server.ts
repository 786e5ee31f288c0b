/** A server that speaks the Gemini Live API on the loopback interface, by script and strictly. */
import { GeminiLivePeer } from './gemini-live-peer.ts';
import type { Gates } from './gates.ts';
import type { RealtimeReply, ScriptedTranscript } from './realtime-script.ts';
import { Room, type Handshake, type StartGround } from './room.ts';

/** What {@link GeminiLiveServer.start} takes. */
export interface GeminiLiveScript {
  /** Given in turn, over all sessions; the last one from then on. Empty: silence. */
  readonly replies?: readonly RealtimeReply[];
  /** Of the utterances, in turn, over all sessions; none comes for those that follow. */
  readonly transcripts?: readonly ScriptedTranscript[];
  /** Connections refused by the handshake, by number, the first being 1; `all` of them. */
  readonly refuse?: readonly number[] | 'all';
  /** How often each token may be used; without end unless given. */
  readonly uses?: number;
  /** Handles that are worth nothing: their setup is closed with 1007. */
  readonly deadHandles?: readonly string[];
}

/** What all sessions of a server share. */
export interface GeminiLiveState {
  readonly script: GeminiLiveScript;
  replies: number;
  transcripts: number;
}

/** A running server. Close it after the test. */
export class GeminiLiveServer {
  readonly #room: Room<GeminiLivePeer>;

  private constructor(room: Room<GeminiLivePeer>) {
    this.#room = room;
  }

  /** Starts a server: on a free port, unless connections are to come from elsewhere. */
  static async start(
    script: GeminiLiveScript = {},
    ground?: StartGround,
  ): Promise<GeminiLiveServer> {
    const state: GeminiLiveState = { script, replies: 0, transcripts: 0 };
    const used = new Map<string, number>();
    let connections = 0;
    const room: Room<GeminiLivePeer> = await Room.open(
      {
        admit: (request) => {
          connections += 1;
          const { message, token } = judge(request);
          if (message !== undefined) return { message, status: 403 };
          const { refuse = [], uses } = script;
          const count = (used.get(token) ?? 0) + 1;
          used.set(token, count);
          if (uses !== undefined && count > uses)
            return { message: 'the token was used up', status: 403, expected: true };
          if (refuse !== 'all' && !refuse.includes(connections)) return undefined;
          return { message: 'refused by the script', status: 503, expected: true };
        },
        open: (socket) =>
          new GeminiLivePeer(socket, state, room.ground.gates, room.ground.violations),
      },
      ground,
    );
    return new GeminiLiveServer(room);
  }

  /** Where clients connect to. */
  get url(): string {
    return this.#room.ground.origin;
  }

  /** The sessions so far, over or not. */
  get sessions(): readonly GeminiLivePeer[] {
    return this.#room.sessions;
  }

  /** Every breach of the protocol by a client. */
  get violations(): readonly string[] {
    return this.#room.ground.violations;
  }

  /** Where replies and transcripts wait. */
  get gates(): Gates {
    return this.#room.ground.gates;
  }

  /** Connections that are not over. */
  get openSockets(): number {
    return this.#room.ground.openSockets;
  }

  /** The session of this number, the first being 1, once it is there. */
  session(number: number): Promise<GeminiLivePeer> {
    return this.#room.session(number);
  }

  /** Resolves when no connection is left. */
  idle(): Promise<void> {
    return this.#room.ground.idle();
  }

  /** Cuts every connection and frees the port. */
  close(): Promise<void> {
    return this.#room.ground.close();
  }
}

function judge(request: Handshake): { readonly message?: string; readonly token: string } {
  const url = new URL(request.url ?? '/', 'ws://localhost');
  const method =
    /^\/ws\/google\.ai\.generativelanguage\.v1(?:alpha|beta)\.GenerativeService\.(\w+)$/.exec(
      url.pathname,
    )?.[1];
  const token = url.searchParams.get('access_token') ?? '';
  const key = url.searchParams.get('key') ?? '';
  if (method === 'BidiGenerateContentConstrained')
    return token.startsWith('auth_tokens/') && key === ''
      ? { token }
      : { token, message: 'the constrained method takes access_token=auth_tokens/… only' };
  if (method !== 'BidiGenerateContent') return { token, message: `no method at ${url.pathname}` };
  return key !== '' && token === ''
    ? { token: key }
    : { token: key, message: 'the plain method takes key=… only' };
}
