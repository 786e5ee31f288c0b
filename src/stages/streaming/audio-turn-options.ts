/** The options of `AudioTurnStage` and where their defaults are. */
import type { TurnDetector } from '../../speech/turn/endpointing.ts';
import type { TurnTakingOptions } from '../../speech/turn/turn-taking.ts';
import type { VoiceActivityDetector } from '../../speech/vad/voice-activity.ts';

/** What an {@link AudioTurnStage} needs and what can be tuned; thresholds are those of {@link TurnTakingOptions}. */
export interface AudioTurnOptions extends TurnTakingOptions {
  /** Judges the frames. The stage loads it in `prepare`, is its only user, and disposes it in the end. */
  readonly vad: VoiceActivityDetector;
  /** Direct port to playback: `FloorCommand`s go out, `FloorReport`s come in. Closed with the run. */
  readonly floor?: MessagePort;
  /** Direct port from whoever transcribes: `FloorWords`. Makes `wordsExpected` true. Closed with the run. */
  readonly words?: MessagePort;
  /** Direct port from the page: `FloorTurn`. Closed with the run. */
  readonly control?: MessagePort;
  /** A model that tells thinking pauses from ends; none unless given. */
  readonly turnDetector?: TurnDetector;
  /** Audio before the detected start that belongs to the turn; 500 ms unless given. */
  readonly preRollMs?: number;
  /** Silence after the detected end that stays in the utterance; 200 ms unless given. */
  readonly tailMs?: number;
  /** Emit `level` events, 15.6 a second, for a meter; each costs the page a message. False unless given. */
  readonly levels?: boolean;
  /** The stage's name; `audio-turn` unless given. */
  readonly name?: string;
}
