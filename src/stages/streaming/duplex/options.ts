/** What a `DuplexProviderStage` needs. */
import type { Message, ToolCall, Usage } from '../../../core/element.ts';
import type { ErrorData } from '../../../core/errors.ts';
import type { RetryPolicy } from '../../../providers/http/retry.ts';
import type { ToolChoice } from '../../../providers/provider.ts';
import type { RealtimeProvider, RealtimeToolResult } from '../../../providers/realtime/realtime.ts';
import type { ToolOutcome } from '../../../providers/tool-execution.ts';
import type { ToolEvent } from '../../../providers/tool-policy.ts';
import type { ToolDefinition } from '../../../providers/tools.ts';

/** What a session starts from; asked for before every connection. */
export interface DuplexSetup {
  /** Rendered system prompt; empty for none. */
  readonly system: string;
  /** Messages before this run, oldest first. */
  readonly history: readonly Message[];
  readonly tools: readonly ToolDefinition[];
  /** For the first answer of each turn, where the provider `takesToolChoice`. Default `auto`. */
  readonly toolChoice?: ToolChoice;
}

/** What came of the calls of one response. */
export interface DuplexToolRound {
  readonly results: readonly (RealtimeToolResult & { readonly result: unknown })[];
  /** Whether the model should go on with them; false: the turn is over. */
  readonly goOn: boolean;
  /** Calls whose result comes later: of tools that finish although interrupted, and from outside. None unless given. */
  readonly open?: readonly ToolOutcome[];
  /** Why the turn is over, where it used up a limit. */
  readonly error?: ErrorData;
}

/** What is told about calls: their events, and results that come when their round is over. */
export type DuplexToolNews =
  | ToolEvent
  | { readonly type: 'tool-late'; readonly turn: number; readonly outcome: ToolOutcome };

/** What calls are run with. */
export interface DuplexToolOptions {
  /** Aborts when the turn is interrupted. */
  readonly signal: AbortSignal;
  /** What the answer with the calls cost, where it is known, and the id of its provider. */
  readonly usage?: Usage;
  readonly provider: string;
}

/** Runs calls, wherever the tools are. Ends at once when `signal` aborts, with results that say so, or by rejecting. */
export interface DuplexTools {
  /** What the model is offered where no `setup` says otherwise. */
  readonly offered: readonly ToolDefinition[];
  run(
    turn: number,
    calls: readonly ToolCall[],
    options: DuplexToolOptions,
  ): Promise<DuplexToolRound>;
  /** The turn is over: nothing more of it will be asked for. */
  end(turn: number): void;
  /** Whom to tell from now on what happens to calls, instead of an earlier listener; the listener must not throw. */
  listen?(listener: (news: DuplexToolNews) => void): void;
}

/** Options of `DuplexProviderStage`. */
export interface DuplexOptions {
  readonly provider: RealtimeProvider;
  /** Name in graphs and events. Default `duplex`. */
  readonly name?: string;
  /** What sessions start from; the shared state of the turn (prompt, history) and all of `tools` unless given. */
  readonly setup?: () => Promise<DuplexSetup>;
  /** Runs tools, see `duplexTools`; without it every call is answered with an error. */
  readonly tools?: DuplexTools;
  /** Opens the session when the run begins instead of with the first thing to send. False unless given. */
  readonly eager?: boolean;
  /** Direct port to playback: `FloorReport`s come in. Without it what was heard is estimated from the clock. */
  readonly floor?: MessagePort;
  /** Rate of the speaker, in hertz; that of the provider's speech unless given. */
  readonly outputSampleRate?: number;
  /** Trying to connect, again too; as the provider says unless given. */
  readonly reconnect?: RetryPolicy;
  /** Audio that waits for a connection; beyond it the oldest is dropped (event `audio-dropped`). Default 30 000 ms. */
  readonly maxWaitingAudioMs?: number;
  /** How long an answer waits for the transcript of what it answers. Default 3 000 ms. */
  readonly transcriptTimeoutMs?: number;
  /** How long a reply may take to begin before the connection counts as dead. Default 15 000 ms. */
  readonly replyTimeoutMs?: number;
  /** Longest speech of one reply; beyond it the reply is cut. Default 300 000 ms. */
  readonly maxReplyMs?: number;
  /** How long before its end a session is exchanged for a new one, between two turns. Default 60 000 ms. */
  readonly rollOverMs?: number;
  /** The message of the person when the transcript failed. Default `[not transcribed]`. */
  readonly untranscribed?: string;
  /** Messages kept for the next session. Default 100. */
  readonly maxHistoryMessages?: number;
  /** Tells every element without samples as an event `element`, too: the page sees it without waiting for the speaker. */
  readonly tell?: boolean;
}
