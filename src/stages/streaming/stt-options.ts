/** The options of `STTStage` and where their defaults are. */
import type { RetryPolicy } from '../../providers/http/retry.ts';
import type { Recognizer } from '../../speech/stt/recognizer.ts';

/** What an `STTStage` needs and what can be tuned. */
export interface STTStageOptions<Forward extends boolean = false> {
  /** Understands. The stage loads it in `prepare` and leaves disposing to the caller. */
  readonly recognizer: Recognizer;
  /** New audio between two interim transcripts at least, in ms; more where the engine is slow. 300 unless given. */
  readonly interimEveryMs?: number;
  /** False: final transcripts only. True unless given. */
  readonly interims?: boolean;
  /** Direct port to *ears*, which takes `FloorWords`, interim and final. Closed with the run. */
  readonly words?: MessagePort;
  /** Passes `audio` and `utterance` on behind what was made of them; false unless given. */
  readonly forwardAudio?: Forward;
  /** BCP 47 tag put on the transcripts. */
  readonly language?: string;
  /** How often an utterance is tried again after a retryable error: 3 attempts, 250 ms, at most 2 s unless given. */
  readonly retry?: RetryPolicy;
  /** The stage's name; `stt` unless given. */
  readonly name?: string;
}
