/** What a voice agent can be given; everything has a default, every part can be replaced. */
import type { GetStream } from '../audio/microphone.ts';
import type { Provider, ToolChoice } from '../providers/provider.ts';
import type { RealtimeProvider } from '../providers/realtime/realtime.ts';
import type { ToolFillerOptions } from '../providers/tool-filler.ts';
import type { ToolPolicy } from '../providers/tool-policy.ts';
import type { Tool } from '../providers/tools.ts';
import type { RemoteEngineOptions, TransformersEngineOptions } from '../speech/stt/engines.ts';
import type { FliteVoice } from '../speech/tts/flite.ts';
import type { TurnTakingOptions } from '../speech/turn/turn-taking.ts';
import type { PostableRemoteVoice } from '../stages/streaming/tts-options.ts';
import type { StateStore } from '../state/state-store.ts';

/** Where an asset is; the package's own unless given. */
export type AssetUrl = URL | string;

/** Settings of hearing: those of turn-taking that can be posted to a worker. */
export interface AgentHearingOptions extends Omit<TurnTakingOptions, 'endpoint'> {
  /** The Silero model (v5 or v6). */
  readonly model?: AssetUrl;
}

/** The embedded recogniser, or another CTC model in its layout. */
export interface AgentCtcOptions {
  readonly engine: 'ctc';
  /** A folder in Hugging Face layout; the package's own model unless given. */
  readonly model?: AssetUrl;
}

/** Which engine writes down what is said, and its settings. */
export type AgentRecogniserOptions =
  | AgentCtcOptions
  | TransformersEngineOptions
  | RemoteEngineOptions;

/** The embedded voice. */
export interface AgentFliteOptions {
  /** A voice of flite: `slt` unless given. */
  readonly voice?: FliteVoice;
  /** Speed, 0.5…2; 1 is the voice's own. */
  readonly rate?: number;
  /** The flite wasm file. */
  readonly wasm?: AssetUrl;
}

/** A voice on a server: an OpenAI-compatible `/audio/speech`. */
export interface AgentRemoteVoiceOptions {
  readonly remote: PostableRemoteVoice;
}

/** The voice. */
export type AgentVoiceOptions = AgentFliteOptions | AgentRemoteVoiceOptions;

/** Options of `createVoiceAgent`. */
export interface VoiceAgentOptions {
  /** System prompt; `{{name}}` is filled from `variables`, per turn. */
  readonly system?: string;
  /** Variables of the prompt; a function is asked every turn. */
  readonly variables?:
    | Readonly<Record<string, unknown>>
    | (() => Readonly<Record<string, unknown>>);
  /** The mind; `offlineAssistant()` unless given. */
  readonly provider?: Provider;
  /**
   * A speech-to-speech model that hears, thinks and speaks instead of `recogniser`, `provider` and `voice`, for
   * example `openAIRealtime(…)`.
   */
  readonly realtime?: RealtimeProvider;
  /**
   * When `realtime` can't be reached any more, the conversation goes on with `recogniser`, `provider` and `voice`, and
   * the same history; what was not answered is answered there. True unless given.
   */
  readonly fallback?: boolean;
  /** What the mind may use besides the tools it brings along. */
  readonly tools?: readonly Tool[];
  /** Permissions and limits of tools, and who is asked. Default: all are allowed, within the usual limits. */
  readonly toolPolicy?: ToolPolicy;
  /**
   * For the first question of each turn. Default `auto`. With `geminiLive`, whose API knows none but `none`, it counts in
   * the `fallback` only; without one it is refused (`unsupported`).
   */
  readonly toolChoice?: ToolChoice;
  /**
   * Words said while a slow tool runs, e.g. `{ texts: ['One moment.'] }`. Default none: they would have to fit the
   * language. With `realtime` they are said in the `fallback` only; without one they are refused (`unsupported`).
   */
  readonly filler?: ToolFillerOptions;
  /** Id of the conversation to go on with; a new one unless given. */
  readonly conversation?: string;
  /** Where conversations live; IndexedDB unless given, memory where there is none. */
  readonly state?: StateStore;
  readonly hearing?: AgentHearingOptions;
  readonly recogniser?: AgentRecogniserOptions;
  readonly voice?: AgentVoiceOptions;
  /** Opens the microphone; `getUserMedia` unless given. */
  readonly getStream?: GetStream;
  /** Laid over the default microphone constraints, e.g. a `deviceId`. */
  readonly constraints?: MediaTrackConstraints;
  /** Makers of the workers, for pages whose bundler can't find them. */
  readonly workers?: {
    readonly ears?: () => Worker;
    readonly scribe?: () => Worker;
    readonly voice?: () => Worker;
    readonly duplex?: () => Worker;
  };
  /** Addresses of the worklets, for the same reason. */
  readonly worklets?: { readonly capture?: AssetUrl; readonly playback?: AssetUrl };
  /** Where ORT's wasm is, without a bundler. */
  readonly wasmPaths?: string;
  /** Silence after which the user counts as `away`; 15 000 ms unless given. */
  readonly awayAfterMs?: number;
}
