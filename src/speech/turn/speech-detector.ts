/**
 * From speech probabilities to speech: begun (tentative), sure (confirmed), nothing (misfire). Hysteresis
 * as in Silero's own iterator, the vocabulary of vad-web. Audio time only: it knows no clock.
 */

/** One judged frame. */
export interface SpeechFrame {
  /** Speech probability, 0…1; anything that is no number counts as 0. */
  readonly probability: number;
  /** Where the frame begins, ms on the capture clock. */
  readonly at: number;
  /** How long the frame is, ms. */
  readonly durationMs: number;
}

/** What else can be heard: the assistant's voice may reach the microphone, most of all the first time. */
export type Loudspeaker = 'silent' | 'audible' | 'first-playback';

/** Thresholds on the probability and on voiced time. */
export interface SpeechDetectorOptions {
  /** Speech begins at this probability; 0.5 unless given. */
  readonly activate?: number;
  /** Speech goes on down to this probability; 0.35 unless given. */
  readonly deactivate?: number;
  /** `activate` while the assistant is audible; 0.65 unless given. */
  readonly audibleActivate?: number;
  /** `activate` while the echo canceller converges, in the first playback; 0.8 unless given. */
  readonly firstPlaybackActivate?: number;
  /** Voiced time that makes a tentative start; 64 ms (2 frames) unless given. */
  readonly tentativeMs?: number;
  /** The same while the assistant is audible; 96 ms (3 frames) unless given. */
  readonly audibleTentativeMs?: number;
  /** Voiced time that makes it sure; 250 ms unless given. */
  readonly confirmedMs?: number;
  /** A start not yet sure is a misfire after this much silence; 400 ms unless given. */
  readonly misfireMs?: number;
}

/** What a frame changed. */
export type SpeechChange =
  | 'tentative'
  | 'confirmed'
  /** It was nothing; said again with every frame of silence until {@link SpeechDetector.end}. */
  | 'misfire'
  /** Speech again after a pause; its length is {@link SpeechDetector.pauseMs}. */
  | 'continued';

/** Faint speech comes back above the threshold within this time, ms. */
const longestHoverMs = 500;

/** The state machine; one per microphone. */
export class SpeechDetector {
  readonly #options: Required<SpeechDetectorOptions>;
  #state: 'silence' | 'tentative' | 'confirmed' = 'silence';
  #voicedMs = 0;
  #onset = 0;
  #speechEnd = 0;
  #silenceMs = 0;
  #pauseMs = 0;

  constructor(options: SpeechDetectorOptions = {}) {
    this.#options = {
      activate: 0.5,
      deactivate: 0.35,
      audibleActivate: 0.65,
      firstPlaybackActivate: 0.8,
      tentativeMs: 64,
      audibleTentativeMs: 96,
      confirmedMs: 250,
      misfireMs: 400,
      ...options,
    };
  }

  /** Where the person is; `tentative` may still turn out to be nothing. */
  get state(): 'silence' | 'tentative' | 'confirmed' {
    return this.#state;
  }

  /** Where speech began (the first frame of the run, not the frame that decided), ms on the capture clock. */
  get onset(): number {
    return this.#onset;
  }

  /** Where the last frame of speech ended, ms on the capture clock. */
  get speechEnd(): number {
    return this.#speechEnd;
  }

  /** Speech since the onset, pauses not counted, ms. */
  get voicedMs(): number {
    return this.#voicedMs;
  }

  /** Silence since the last frame of speech, ms. */
  get silenceMs(): number {
    return this.#silenceMs;
  }

  /** The pause that ended when speech continued last, ms. */
  get pauseMs(): number {
    return this.#pauseMs;
  }

  /** Takes the next frame and says what it changed, if anything. */
  feed(frame: SpeechFrame, loudspeaker: Loudspeaker = 'silent'): SpeechChange | undefined {
    const probability = Number.isFinite(frame.probability) ? frame.probability : 0;
    return this.#state === 'silence'
      ? this.#listen(frame, probability, loudspeaker)
      : this.#follow(frame, probability, loudspeaker);
  }

  /** Short as it was, it is known to be speech: true where that was not sure before. */
  confirm(): boolean {
    const isNews = this.#state === 'tentative';
    if (isNews) this.#state = 'confirmed';
    return isNews;
  }

  /** The turn is over, or it was nothing: back to silence. */
  end(): void {
    this.#state = 'silence';
    this.#voicedMs = 0;
    this.#silenceMs = 0;
  }

  /** A frame below `activate` but above `deactivate` neither counts nor breaks the run: faint speech wavers. */
  #listen(
    frame: SpeechFrame,
    probability: number,
    loudspeaker: Loudspeaker,
  ): SpeechChange | undefined {
    if (probability < this.#deactivate(loudspeaker)) {
      this.#voicedMs = 0;
      return undefined;
    }
    if (probability < this.#activate(loudspeaker)) return undefined;
    // What hovered below the threshold for so long was not the beginning of this.
    if (this.#voicedMs > 0 && frame.at - this.#speechEnd > longestHoverMs) this.#voicedMs = 0;
    if (this.#voicedMs === 0) this.#onset = frame.at;
    this.#voicedMs += frame.durationMs;
    this.#speechEnd = frame.at + frame.durationMs;
    const { tentativeMs, audibleTentativeMs } = this.#options;
    if (this.#voicedMs < (loudspeaker === 'silent' ? tentativeMs : audibleTentativeMs))
      return undefined;
    this.#state = 'tentative';
    this.#silenceMs = 0;
    return 'tentative';
  }

  #follow(
    frame: SpeechFrame,
    probability: number,
    loudspeaker: Loudspeaker,
  ): SpeechChange | undefined {
    const pausing = this.#silenceMs > 0;
    const threshold = pausing ? this.#activate(loudspeaker) : this.#deactivate(loudspeaker);
    if (probability < threshold) {
      this.#silenceMs += frame.durationMs;
      const misfired = this.#state === 'tentative' && this.#silenceMs >= this.#options.misfireMs;
      return misfired ? 'misfire' : undefined;
    }
    if (pausing) this.#pauseMs = this.#silenceMs;
    this.#silenceMs = 0;
    this.#voicedMs += frame.durationMs;
    this.#speechEnd = frame.at + frame.durationMs;
    if (this.#state === 'tentative' && this.#voicedMs >= this.#options.confirmedMs) {
      this.#state = 'confirmed';
      return 'confirmed';
    }
    return pausing ? 'continued' : undefined;
  }

  #activate(loudspeaker: Loudspeaker): number {
    const { activate, audibleActivate, firstPlaybackActivate } = this.#options;
    if (loudspeaker === 'silent') return activate;
    return loudspeaker === 'audible' ? audibleActivate : firstPlaybackActivate;
  }

  #deactivate(loudspeaker: Loudspeaker): number {
    const { activate, deactivate } = this.#options;
    return this.#activate(loudspeaker) - (activate - deactivate);
  }
}
