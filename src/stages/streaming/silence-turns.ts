/** Cuts a stream of judged frames into turns at pauses; knows audio time only. */
import { SpeechDetector, type SpeechDetectorOptions } from '../../speech/turn/speech-detector.ts';
import { TurnRecorder, type Recording } from '../../speech/turn/turn-recorder.ts';

/** How a stream is cut into turns. Times are audio time, in ms. */
export interface SilenceTurnOptions {
  /** Silence that ends a turn. Default 700. */
  readonly silenceMs?: number;
  /** Speech a turn needs; what is shorter is nothing. Default 250. */
  readonly minSpeechMs?: number;
  /** A turn is cut after this, speech or not; the next begins at once. Default 30 000. */
  readonly maxTurnMs?: number;
  /** Audio before the speech that is transcribed with it. Default 300. */
  readonly preRollMs?: number;
  /** Probability thresholds; see {@link SpeechDetectorOptions}. */
  readonly speech?: Pick<SpeechDetectorOptions, 'activate' | 'deactivate'>;
}

/** What a frame changed. Times are ms on the capture clock. */
export type SilenceTurn =
  | { readonly type: 'start'; readonly turn: number; readonly at: number }
  | {
      readonly type: 'end';
      readonly turn: number;
      /** When the turn was found to be over. */
      readonly at: number;
      readonly speechEnd: number;
      readonly recording: Recording;
    };

/** Silence behind the speech that is transcribed with it, ms. */
const tailMs = 200;

/** State of one run. */
export class SilenceTurns {
  readonly #detector: SpeechDetector;
  readonly #recorder: TurnRecorder;
  readonly #sampleRate: number;
  readonly #silenceMs: number;
  readonly #maxTurnMs: number;
  /** The highest number that was seen or given. */
  #highest = 0;
  #turn = 0;
  #sure = false;
  #now = 0;

  /** `sampleRate`: of the frames, in hertz. */
  constructor(sampleRate: number, options: SilenceTurnOptions = {}) {
    const { silenceMs = 700, minSpeechMs = 250, maxTurnMs = 30_000, preRollMs = 300 } = options;
    this.#sampleRate = sampleRate;
    this.#silenceMs = silenceMs;
    this.#maxTurnMs = maxTurnMs;
    this.#detector = new SpeechDetector({
      ...options.speech,
      confirmedMs: minSpeechMs,
      misfireMs: silenceMs,
    });
    this.#recorder = new TurnRecorder({ sampleRate, preRollMs, tailMs });
  }

  /** Numbers that others gave are not given again. */
  sawTurn(turn: number): void {
    this.#highest = Math.max(this.#highest, turn);
  }

  /** Takes the next frame, whose samples stay the caller's. */
  feed(samples: Float32Array, at: number, probability: number): SilenceTurn | undefined {
    const durationMs = (samples.length * 1000) / this.#sampleRate;
    this.#now = at + durationMs;
    this.#recorder.push(samples, at);
    const change = this.#detector.feed({ probability, at, durationMs });
    if (change === 'tentative') this.#recorder.begin(this.#detector.onset);
    if (change === 'misfire') {
      this.#detector.end();
      this.#recorder.drop();
    }
    if (!this.#sure && this.#detector.state === 'confirmed') {
      this.#sure = true;
      this.#highest += 1;
      this.#turn = this.#highest;
      return { type: 'start', turn: this.#turn, at: this.#detector.onset };
    }
    const { silenceMs, onset } = this.#detector;
    const isOver = silenceMs >= this.#silenceMs || this.#now - onset >= this.#maxTurnMs;
    return isOver ? this.finish() : undefined;
  }

  /** Ends the open turn, if there is one. */
  finish(): SilenceTurn | undefined {
    if (!this.#sure) return undefined;
    const { speechEnd } = this.#detector;
    this.#sure = false;
    this.#detector.end();
    const recording = this.#recorder.end(speechEnd);
    return { type: 'end', turn: this.#turn, at: this.#now, speechEnd, recording };
  }
}
