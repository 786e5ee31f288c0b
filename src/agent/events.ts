/** What a voice agent tells the page: its states and its events. */
import type { Message, TimedWord } from '../core/element.ts';
import type { AntiphonError } from '../core/errors.ts';
import type { StageEvent } from '../core/stage/stage.ts';
import type { LoadProgress } from '../speech/stt/recognizer.ts';

/** What the assistant is doing. */
export type AssistantState = 'idle' | 'loading' | 'listening' | 'thinking' | 'speaking';

/** What the person is doing; `away`: silent for a long time while the assistant listens. */
export type UserState = 'silent' | 'speaking' | 'away';

/** Both sides of the conversation at one moment. */
export interface AgentState {
  readonly assistant: AssistantState;
  readonly user: UserState;
}

/**
 * Where the time of a turn went: milliseconds on one clock (Unix time). A mark is absent when the turn
 * had no such moment: typed text has no `speechEnd`, an empty reply no `firstAudio`.
 */
export interface TurnTrace {
  /** First sample of the person's speech. */
  readonly speechStart?: number;
  /** Last sample of the person's speech. */
  readonly speechEnd?: number;
  /** Endpointing decided that the turn is over. */
  readonly committed?: number;
  /** The final transcript was there. */
  readonly transcribed?: number;
  /** The model's first token was there. */
  readonly firstToken?: number;
  /** The first piece of text that can be spoken was complete. */
  readonly firstSentence?: number;
  /** Its first audio was synthesised. */
  readonly firstAudio?: number;
  /** The first sample of the reply was audible: rendered, plus the output latency. */
  readonly heard?: number;
  /** `heard − speechEnd`. */
  readonly voiceToVoiceMs?: number;
}

/** One finished turn. */
export interface TurnSummary {
  readonly turn: number;
  /** What the person said or typed; empty for `say()`. */
  readonly transcript: string;
  /** All the text that was generated. */
  readonly reply: string;
  /** The prefix of it whose audio was rendered. */
  readonly heard: string;
  readonly interrupted: boolean;
  readonly trace: TurnTrace;
}

/** The events of a voice agent and what each listener is given. */
export interface AgentEvents {
  /** Either side changed what it is doing. */
  state: AgentState;
  /** Bytes of a model or voice arrived. */
  progress: LoadProgress;
  /** About 15 a second while listening: microphone RMS (0…1) and, once known, speech probability (0…1). */
  level: { readonly microphone: number; readonly probability?: number };
  /** What the person says; interim ones replace each other. */
  transcript: {
    readonly turn: number;
    readonly text: string;
    readonly final: boolean;
    readonly words?: readonly TimedWord[];
    readonly confidence?: number;
  };
  /** The reply as it is generated: all of it so far, and what is new. */
  reply: {
    readonly turn: number;
    readonly text: string;
    readonly delta: string;
    readonly done: boolean;
  };
  /** The reply as it is heard: the prefix whose audio was rendered. */
  heard: {
    readonly turn: number;
    readonly text: string;
    readonly done: boolean;
    readonly interrupted: boolean;
  };
  /** The person took the floor: what was not heard of turns ≤ `turn` is void. */
  interrupt: { readonly turn: number };
  /** A message reached its final form, as it is stored. */
  message: { readonly message: Message };
  /**
   * How a call of a tool goes: `called` (with `arguments`), `asking` somebody, `running`, `pending` until
   * `answerTool`, and in the end, once, `done` or `failed` (with `result` and `isError`).
   */
  tool: {
    readonly turn: number;
    readonly callId: string;
    readonly name: string;
    readonly state: 'called' | 'asking' | 'running' | 'pending' | 'done' | 'failed';
    readonly arguments?: unknown;
    readonly result?: unknown;
    readonly isError?: boolean;
  };
  /** Words are said because a tool is slow; no reply has them, and none that was heard. */
  filler: { readonly turn: number; readonly text: string };
  /** A turn is over, heard to its end or interrupted. */
  turn: TurnSummary;
  /**
   * What a stage tells about its work, for those who measure: see the stages' doc blocks. The devices tell
   * `dropped` (microphone frames given up), `underrun` (speech came late) and `gate` (the voice was ducked).
   */
  stage: StageEvent;
  /** The realtime model can't be reached any more: the local pipeline takes over. */
  fallback: { readonly error: AntiphonError };
  /** Trouble; the agent goes on unless its state says `idle`. */
  error: AntiphonError;
}
