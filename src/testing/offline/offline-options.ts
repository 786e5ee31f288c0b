/** What an offline conversation can be given. */
import type { ConversationEnds } from '../../agent/conversation.ts';
import type { VoiceAgentOptions } from '../../agent/options.ts';
import type { Recording } from '../../audio/wav.ts';
import type { Pipeline } from '../../core/pipeline/pipeline.ts';
import type { Provider } from '../../providers/provider.ts';
import type { Recognizer } from '../../speech/stt/recognizer.ts';
import type { Synthesizer } from '../../speech/tts/synthesizer.ts';
import type { TurnDetector } from '../../speech/turn/endpointing.ts';
import type { TurnTakingOptions } from '../../speech/turn/turn-taking.ts';
import type { VoiceActivityDetector } from '../../speech/vad/voice-activity.ts';
import type { ProviderStage } from '../../stages/conversation/provider-stage.ts';
import type { TapStage } from '../../stages/utility/tap-stage.ts';
import type { FakeClock } from '../fake-clock.ts';
import type { ToneLanguage } from '../tone-language.ts';
import type { Latencies } from './timed-engines.ts';
import type { UserStep } from './user-script.ts';

/** Options of {@link runOffline}; the conversation's own are those of `createVoiceAgent`. */
export interface OfflineOptions extends Pick<
  VoiceAgentOptions,
  | 'system'
  | 'variables'
  | 'tools'
  | 'toolPolicy'
  | 'toolChoice'
  | 'filler'
  | 'conversation'
  | 'state'
> {
  /** What the microphone hears, of any rate. This or `user`. */
  readonly recording?: Recording;
  /** What the person does. */
  readonly user?: readonly UserStep[];
  /** The mind; a function is asked at each turn. */
  readonly provider: Provider | (() => Provider);
  /** Takes what is loud for speech (`levelVad`) unless given. */
  readonly vad?: VoiceActivityDetector;
  /** That of `language` unless given. */
  readonly recognizer?: Recognizer;
  /** That of `language` unless given. */
  readonly synthesizer?: Synthesizer;
  /** What `user.says` speaks; one of its own unless given. */
  readonly language?: ToneLanguage;
  /** Turn-taking; the agent's defaults unless given. */
  readonly hearing?: TurnTakingOptions;
  /** A model that tells thinking pauses from ends; none unless given. */
  readonly turnDetector?: TurnDetector;
  /** Audio time that engines take; none unless given. */
  readonly latency?: Latencies;
  /** The clock that audio time drives: the one that scripted engines were given. One of its own unless given. */
  readonly clock?: FakeClock;
  /** Of the audio context that is stood in for, in hertz; the recording's, or 16 000, unless given. */
  readonly sampleRate?: number;
  /** A pipeline of your own instead of the agent's. Its input is what is typed. */
  readonly pipeline?: (parts: OfflineParts) => Pipeline;
  /** How long both sides must be silent at the end, in ms of audio; 1 500 unless given. */
  readonly settleMs?: number;
  /** The longest conversation, in ms of audio; 600 000 unless given. */
  readonly limitMs?: number;
  /** How long, in real time, audio time may stand still for one piece of an engine's work; 10 000 ms unless given. */
  readonly patienceMs?: number;
  /** Aborting it ends the conversation with its reason. */
  readonly signal?: AbortSignal;
}

/** What a pipeline of your own is made of. */
export interface OfflineParts extends ConversationEnds {
  /** The clock to give to the `PipelineBuilder`. */
  readonly clock: FakeClock;
  /** Answers; remembers what was heard. */
  readonly provider: ProviderStage;
  /** Belongs behind the scribe: makes the events about the person. */
  readonly onUser: TapStage;
  /** Belongs behind the provider: makes the events about the reply. */
  readonly onReply: TapStage;
  /** Audio time stands still until `work` has settled: for stages of yours that wait for the outside world. */
  readonly hold: <T>(what: string, work: () => Promise<T>) => Promise<T>;
}
