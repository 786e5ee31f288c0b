/** The options of turn-taking, all in audio time, and where their defaults are. */
import type { EndpointPolicy, LearnedSilenceOptions } from './endpointing.ts';
import type { InterruptionOptions } from './interruption.ts';
import type { SpeechDetectorOptions } from './speech-detector.ts';

/** Everything that can be tuned; the documented defaults hold for what is left out. */
export interface TurnTakingOptions {
  /** When speech begins. */
  readonly speech?: SpeechDetectorOptions;
  /** How much silence ends the turn: 600 ms, learned within 500…3 000, unless given. */
  readonly silence?: LearnedSilenceOptions;
  /** A policy of your own instead; `silence` then means nothing. Can't be posted to a worker. */
  readonly endpoint?: EndpointPolicy;
  /** What takes the floor from the assistant. */
  readonly interruption?: InterruptionOptions;
  /** A turn is ended here even in the middle of speech; 30 000 ms unless given. */
  readonly maxTurnMs?: number;
  /** Silence after which a turn detector is asked; 200 ms unless given. */
  readonly considerMs?: number;
  /**
   * A turn does not end on a frame of at least this probability, which is neither speech nor silence (the
   * next word often begins so faintly); 0.1 unless given.
   */
  readonly doubtful?: number;
  /** How long such doubt may put off the end; 300 ms unless given. */
  readonly doubtMs?: number;
  /** How long an unconfirmed duck of the worklet lasts; 200 ms unless given. */
  readonly duckMs?: number;
  /** Audible time with raised thresholds, while the echo canceller converges; 3 000 ms unless given. */
  readonly firstPlaybackMs?: number;
  /** Whether someone reports the words of an open turn; without, short sounds are judged by length alone. False unless given. */
  readonly wordsExpected?: boolean;
  /** A pause of this length after which the person goes on was a cut-off to learn from; 3 000 ms unless given. */
  readonly cutOffMs?: number;
}
