/** A server that speaks the OpenAI Realtime API (GA) on the loopback interface, by script and strictly. */
import type { Gates } from './gates.ts';
import { OpenAIRealtimePeer } from './openai-realtime-peer.ts';
import type { RealtimeReply, ScriptedTranscript } from './realtime-script.ts';
import { Room, type Handshake, type StartGround } from './room.ts';

/** What {@link OpenAIRealtimeServer.start} takes. */
export interface OpenAIRealtimeScript {
  /** Given in turn, over all sessions; the last one from then on. Empty: silence. */
  readonly replies?: readonly RealtimeReply[];
  /** Of the utterances, in turn, over all sessions; none comes for those that follow. */
  readonly transcripts?: readonly ScriptedTranscript[];
  /** Connections refused by the handshake (401), by number, the first being 1; `all` of them. */
  readonly refuse?: readonly number[] | 'all';
  /** Connections whose `session.created` never comes, by number. */
  readonly mute?: readonly number[];
  /** How long a session lives, in seconds; 3 600 unless given. Only told, not enforced. */
  readonly lifetimeSeconds?: number;
  /** Settles orders the protocol leaves open; 0 ≤ x < 1. The usual order unless given. */
  readonly random?: () => number;
}

/** What all sessions of a server share. */
export interface OpenAIRealtimeState {
  readonly script: OpenAIRealtimeScript;
  /** Replies and transcripts given so far. */
  replies: number;
  transcripts: number;
}

/** A running server. Close it after the test. */
export class OpenAIRealtimeServer {
  readonly #room: Room<OpenAIRealtimePeer>;

  private constructor(room: Room<OpenAIRealtimePeer>) {
    this.#room = room;
  }

  /** Starts a server: on a free port, unless connections are to come from elsewhere. */
  static async start(
    script: OpenAIRealtimeScript = {},
    ground?: StartGround,
  ): Promise<OpenAIRealtimeServer> {
    const state: OpenAIRealtimeState = { script, replies: 0, transcripts: 0 };
    let connections = 0;
    const room: Room<OpenAIRealtimePeer> = await Room.open(
      {
        subprotocol: 'realtime',
        admit: (request) => {
          connections += 1;
          const problem = handshakeProblem(request);
          if (problem !== undefined) return { message: problem, status: 401 };
          const { refuse = [] } = script;
          if (refuse !== 'all' && !refuse.includes(connections)) return undefined;
          return { message: 'refused by the script', status: 401, expected: true };
        },
        open: (socket, request) =>
          new OpenAIRealtimePeer(socket, {
            state,
            model: modelOf(request) ?? '',
            gates: room.ground.gates,
            violations: room.ground.violations,
            isMute: (script.mute ?? []).includes(connections),
          }),
      },
      ground,
    );
    return new OpenAIRealtimeServer(room);
  }

  /** Where clients connect to. */
  get url(): string {
    return `${this.#room.ground.origin}/v1/realtime`;
  }

  /** The sessions so far, over or not. */
  get sessions(): readonly OpenAIRealtimePeer[] {
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
  session(number: number): Promise<OpenAIRealtimePeer> {
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

function modelOf(request: Handshake): string | undefined {
  return new URL(request.url ?? '/', 'ws://localhost').searchParams.get('model') ?? undefined;
}

function handshakeProblem(request: Handshake): string | undefined {
  const protocols = String(request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((protocol) => protocol.trim());
  if (!protocols.includes('realtime')) return 'the subprotocol "realtime" is missing';
  if (protocols.includes('openai-beta.realtime-v1')) return 'the beta subprotocol is gone';
  if (!protocols.some((protocol) => protocol.startsWith('openai-insecure-api-key.ek_')))
    return 'no ephemeral token among the subprotocols';
  const { searchParams } = new URL(request.url ?? '/', 'ws://localhost');
  if (!searchParams.get('model')) return 'the query names no model';
  const stray = [...searchParams.keys()].find((key) => key !== 'model');
  return stray === undefined ? undefined : `the query has the unknown "${stray}"`;
}
