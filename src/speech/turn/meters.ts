/** What a person watching wants to know of the microphone: how loud, how much speech, how far behind. */

/** A reading of the {@link LevelMeter}. */
export interface LevelReading {
  /** Root mean square of the microphone, 0…1. */
  readonly microphone: number;
  /** The highest speech probability since the last reading, 0…1. */
  readonly probability: number;
}

/** Told about every second frame: 15.6 times a second of audio at 512 samples and 16 kHz. */
const framesAReading = 2;

/** Thins frames out to a rate that is fit for messages to the page. */
export class LevelMeter {
  readonly #onReading: (reading: LevelReading) => void;
  #frames = 0;
  #power = 0;
  #samples = 0;
  #probability = 0;

  constructor(onReading: (reading: LevelReading) => void) {
    this.#onReading = onReading;
  }

  /** Takes a frame and the probability it was given. */
  take(frame: Float32Array, probability: number): void {
    for (const sample of frame) this.#power += sample * sample;
    this.#samples += frame.length;
    this.#probability = Math.max(this.#probability, probability);
    this.#frames += 1;
    if (this.#frames < framesAReading) return;
    const microphone = Math.sqrt(this.#power / Math.max(1, this.#samples));
    this.#onReading({ microphone, probability: this.#probability });
    this.#frames = 0;
    this.#power = 0;
    this.#samples = 0;
    this.#probability = 0;
  }
}

/** Later than this is worth an alarm. */
const lateMs = 200;
/** One alarm in this much audio. */
const alarmEveryMs = 1000;
/** The sound card's clock and the computer's run apart by less than this; over an hour that is 0.7 s. */
const clockDrift = 200e-6;

/**
 * How far judgement is behind the microphone. The two clocks have no common origin: zero is the quickest
 * frame so far, so a machine that was always late shows only how much later it became.
 */
export class LagMeter {
  readonly #onLate: (reading: { readonly lagMs: number; readonly at: number }) => void;
  #quickest = Number.POSITIVE_INFINITY;
  #lagMs = 0;
  #alarmedAt = Number.NEGATIVE_INFINITY;
  #last: number | undefined;

  constructor(onLate: (reading: { readonly lagMs: number; readonly at: number }) => void) {
    this.#onLate = onLate;
  }

  /** How much later than the quickest frame the last one was judged, ms. */
  get lagMs(): number {
    return this.#lagMs;
  }

  /** The frame that ended at `at` (ms of audio) was judged at `now` (ms of any steady clock). */
  take(at: number, now: number): void {
    const drift = clockDrift * Math.max(0, at - (this.#last ?? at));
    this.#last = at;
    this.#quickest = Math.min(this.#quickest + drift, now - at);
    this.#lagMs = now - at - this.#quickest;
    if (this.#lagMs <= lateMs || at - this.#alarmedAt < alarmEveryMs) return;
    this.#alarmedAt = at;
    this.#onLate({ lagMs: this.#lagMs, at });
  }
}
