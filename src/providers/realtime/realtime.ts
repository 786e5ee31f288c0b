/** What a speech-to-speech model is to Antiphon: one session that takes audio and gives events. */
import type { FinishReason, Message, ToolCall, Usage } from '../../core/element.ts';
import type { ErrorData } from '../../core/errors.ts';
import type { RetryPolicy } from '../http/retry.ts';
import type { ToolChoice } from '../provider.ts';
import type { ToolDefinition } from '../tools.ts';

/**
 * Who decides when the person speaks and has finished: `server`, the model's own detector over an unbroken
 * stream of audio; `local`, whoever calls {@link RealtimeSession.startTurn} and `endTurn`.
 */
export type TurnDetection = 'local' | 'server';

/** What a session is opened with. */
export interface RealtimeSetup {
  /** Rendered system prompt; empty for none. */
  readonly system: string;
  /** Messages before this session, oldest first, replies as they were heard. */
  readonly history: readonly Message[];
  readonly tools: readonly ToolDefinition[];
  /** For the first answer of each turn; the model is free afterwards. `auto` unless given. */
  readonly toolChoice?: ToolChoice;
  /** The handle of a session to go on with, from a `resumable` event; the history is then not sent. */
  readonly resume?: string;
}

/** What a session tells, in the order the server said it. `utterance` and `item` are opaque names. */
export type RealtimeEvent =
  /** The server hears speech; `atMs` of all audio appended so far, where it says so. Only with `server` detection. */
  | { readonly type: 'speech-started'; readonly utterance: string; readonly atMs?: number }
  | { readonly type: 'speech-stopped'; readonly utterance: string; readonly atMs?: number }
  /** The person's turn is over: a reply to it follows. Only with `server` detection. */
  | { readonly type: 'turn-committed'; readonly utterance: string }
  /** A fragment of what the person said. */
  | { readonly type: 'user-transcript-delta'; readonly utterance: string; readonly text: string }
  /** All the person said in this utterance. */
  | { readonly type: 'user-transcript'; readonly utterance: string; readonly text: string }
  | {
      readonly type: 'user-transcript-failed';
      readonly utterance: string;
      readonly error: ErrorData;
    }
  /** `utterance`: what it answers, where that is known. */
  | { readonly type: 'reply-started'; readonly reply: string; readonly utterance?: string }
  /** Speech at `outputSampleRate`, owned by the receiver; faster than real time. */
  | {
      readonly type: 'audio';
      readonly reply: string;
      readonly item: string;
      readonly samples: Float32Array<ArrayBuffer>;
    }
  /** A fragment of what the speech says, or of a written reply. */
  | {
      readonly type: 'text-delta';
      readonly reply: string;
      readonly item: string;
      readonly text: string;
    }
  /** No more speech of this reply follows; its text may. */
  | { readonly type: 'audio-done'; readonly reply: string }
  /** The reply asks for tools; it waits for {@link RealtimeSession.sendToolResults}. `usage`: so far, where it is known. */
  | {
      readonly type: 'tool-calls';
      readonly reply: string;
      readonly calls: readonly ToolCall[];
      readonly usage?: Usage;
    }
  /** The server wants no result of these calls any more. */
  | { readonly type: 'tools-cancelled'; readonly ids: readonly string[] }
  /** Nothing more of this reply follows. `isStale`: it was for an earlier question, the one asked last is yet to be answered. */
  | {
      readonly type: 'reply-done';
      readonly isStale?: boolean;
      readonly reply: string;
      readonly reason: FinishReason;
      readonly usage?: Usage;
      readonly error?: ErrorData;
    }
  /** The session ends by itself in so many ms. */
  | { readonly type: 'expiring'; readonly inMs: number }
  /** With this handle a new session can go on where this one is; undefined: not at the moment. */
  | { readonly type: 'resumable'; readonly handle: string | undefined }
  /** Trouble with one request; the session goes on. */
  | { readonly type: 'error'; readonly error: ErrorData }
  /** The connection is gone, not by {@link RealtimeSession.close}; the last event. */
  | { readonly type: 'closed'; readonly error: ErrorData };

/** What came of a call, as it is sent back. */
export interface RealtimeToolResult {
  readonly callId: string;
  readonly name: string;
  /** What the model is shown. */
  readonly text: string;
  readonly isError: boolean;
}

/** An open connection to a model. Nothing throws; trouble comes as events. */
export interface RealtimeSession {
  /** Unix ms at which the server ends the session; undefined where it does not say. */
  readonly expiresAtMs: number | undefined;
  /** The person begins to speak (`local` detection). */
  startTurn(): void;
  /** Audio at `inputSampleRate`, any length; read at once, not kept. */
  appendAudio(samples: Float32Array): void;
  /**
   * The person has finished (`local` detection); transcripts of it name `utterance`. Asks for a reply; where there was
   * nothing to hear, transcript and reply are told as empty, at once.
   */
  endTurn(utterance: string): void;
  /** It was no turn (`local` detection): what was appended since `startTurn` counts for nothing. */
  dropTurn(): void;
  /** Something typed; asks for a reply. */
  sendText(text: string): void;
  /** Asks for a reply to what is in the conversation already. */
  respond(): void;
  /** Makes the model say `text`, as literally as models do. */
  say(text: string): void;
  /**
   * Answers calls, and asks for a reply that goes on with them unless `respond` is false. Where no call of this session
   * waits for a result, the model is told it in words when it is to go on.
   */
  sendToolResults(results: readonly RealtimeToolResult[], respond: boolean): void;
  /** The reply under way is not wanted any more: nothing of it is told after this but `reply-done`. */
  cancelReply(): void;
  /** The person heard `playedMs` of an item's speech and no more. A no-op where the protocol can't say it. */
  truncate(item: string, playedMs: number): void;
  /** Closes the connection; no event follows. Idempotent. */
  close(): void;
}

/** How to open a session. */
export interface RealtimeConnectOptions {
  /** Aborts while the session is being opened. */
  readonly signal: AbortSignal;
  /** Hears every event, synchronously and in order; must not throw. */
  readonly onEvent: (event: RealtimeEvent) => void;
}

/**
 * A provider as data that survives structured clone, so that a worker can open its sessions. `settings` are
 * the options without functions; the token stays where its function is.
 */
export interface RealtimeRecipe {
  readonly vendor: 'openai' | 'gemini';
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A short-lived credential: minted on your server, asked for before every connection. */
export type RealtimeToken = () => string | Promise<string>;

/** A speech-to-speech model. */
export interface RealtimeProvider {
  /** For display and traces, e.g. `openai-realtime:gpt-realtime-2.1`. */
  readonly id: string;
  /** Of the audio it takes, in hertz. */
  readonly inputSampleRate: number;
  /** Of the speech it gives, in hertz. */
  readonly outputSampleRate: number;
  readonly turnDetection: TurnDetection;
  /** Whether a `user-transcript` follows each utterance; false: only fragments do. */
  readonly finalTranscripts: boolean;
  /** Whether a session heeds `toolChoice`. False unless given. */
  readonly takesToolChoice?: boolean;
  /** How patiently a session is opened, and opened again. */
  readonly reconnect?: RetryPolicy;
  /** How to make the same provider in a worker; absent for one that can't be posted. */
  readonly recipe?: RealtimeRecipe;
  readonly token?: RealtimeToken;
  /**
   * Opens a session; resolves when the server has accepted the setup.
   *
   * @throws AntiphonError `provider-auth`, `provider-network`, `provider-timeout`, `provider-request`,
   *   `provider-rate-limit`, `provider-protocol`, `aborted`
   */
  connect(setup: RealtimeSetup, options: RealtimeConnectOptions): Promise<RealtimeSession>;
}
