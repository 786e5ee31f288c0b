/**
 * The first reaction to talk-over: from the microphone's level alone, while the assistant is audible,
 * decides whether the voice should be ducked. It may be wrong: ears confirm (pause) or lift it. Levels
 * relative to what is being played, learned while only the assistant speaks, judged before learning and
 * frozen while armed: after the level gate of the Vellum assistant
 * (https://github.com/vellum-ai/vellum-assistant, pull requests 38325 and 38348).
 */

/** Tuning of an {@link EnergyGate}; levels are root mean squares, 0…1. */
export interface EnergyGateOptions {
  /** Below this nothing opens the gate; 0.012 (−38 dBFS) unless given. */
  readonly baseLevel?: number;
  /** How far above the room's noise speech must be; 3 (9.5 dB) unless given. */
  readonly noiseMargin?: number;
  /** How far above the expected echo speech must be; 1.5 (3.5 dB) unless given. */
  readonly echoMargin?: number;
  /** Factor on the threshold at the very first playback, while the echo canceller converges; 2 unless given. */
  readonly firstPlaybackFactor?: number;
  /** Audible time after which that factor no longer applies; 3 000 ms unless given. */
  readonly firstPlaybackMs?: number;
  /** How long the level must stay above the threshold; 24 ms unless given. */
  readonly attackMs?: number;
  /** How long it must stay below half the threshold to close; 250 ms unless given. */
  readonly releaseMs?: number;
  /** An open gate that nobody confirmed closes after this; 3 000 ms unless given. */
  readonly maxOpenMs?: number;
}

const smoothingMs = 6;
const noiseFallMs = 100;
const noiseRiseDecibelsPerSecond = 1.5;
const couplingRiseMs = 100;
const couplingFallMs = 1_443; // a half-life of one second
const releaseRatio = 0.5;
const lowestPlayback = 0.004;

/** One per microphone. Allocates nothing after construction. */
export class EnergyGate {
  readonly #rate: number;
  readonly #options: Required<EnergyGateOptions>;
  #power = 0;
  #noise = 0.001;
  #coupling = 0.2;
  #audibleMs = 0;
  #aboveMs = 0;
  #belowMs = 0;
  #openMs = 0;
  #open = false;
  #dismissed = false;
  #playback = 0;

  /** @param sampleRate of the blocks, in hertz */
  constructor(sampleRate: number, options: EnergyGateOptions = {}) {
    this.#rate = sampleRate;
    this.#options = {
      baseLevel: 0.012,
      noiseMargin: 3,
      echoMargin: 1.5,
      firstPlaybackFactor: 2,
      firstPlaybackMs: 3_000,
      attackMs: 24,
      releaseMs: 250,
      maxOpenMs: 3_000,
      ...options,
    };
  }

  /** True while the person seems to speak over the assistant. */
  get open(): boolean {
    return this.#open;
  }

  /** Root mean square the microphone must exceed now. */
  get threshold(): number {
    const { baseLevel, noiseMargin, echoMargin, firstPlaybackFactor } = this.#options;
    const first = this.#audibleMs < this.#options.firstPlaybackMs ? firstPlaybackFactor : 1;
    const echo = echoMargin * this.#coupling * this.#playback;
    return first * Math.max(baseLevel, noiseMargin * this.#noise, echo);
  }

  /**
   * Takes one block and says whether the voice should be ducked.
   *
   * @param power mean square of the block
   * @param length samples of the block
   * @param audible whether the assistant can be heard
   * @param playbackLevel recent level of what is played: root mean square, slow to fall
   */
  update(power: number, length: number, audible: boolean, playbackLevel: number): boolean {
    const ms = (length * 1000) / this.#rate;
    this.#power += (power - this.#power) * (1 - Math.exp(-ms / smoothingMs));
    const level = Math.sqrt(this.#power);
    this.#playback = playbackLevel;
    if (audible) {
      this.#judge(level, ms);
      this.#audibleMs += ms;
    } else {
      this.#close();
      this.#dismissed = false;
      this.#learnNoise(level, ms);
    }
    return this.#open;
  }

  /** It was no speech: closes until the level has been low, and takes the present ratio for echo. */
  dismiss(): void {
    if (!this.#open) return;
    const level = Math.sqrt(this.#power);
    if (this.#playback > lowestPlayback)
      this.#coupling = Math.max(this.#coupling, Math.min(2, level / this.#playback));
    this.#close();
    this.#dismissed = true;
  }

  #judge(level: number, ms: number): void {
    const threshold = this.threshold;
    const above = level > threshold;
    this.#aboveMs = above ? this.#aboveMs + ms : 0;
    this.#belowMs = level < releaseRatio * threshold ? this.#belowMs + ms : 0;
    const quiet = this.#belowMs >= this.#options.releaseMs;
    if (this.#open) {
      this.#openMs += ms;
      if (quiet) this.#close();
      else if (this.#openMs >= this.#options.maxOpenMs) this.dismiss();
    } else if (this.#dismissed) {
      if (quiet) this.#dismissed = false;
    } else if (this.#aboveMs >= this.#options.attackMs) this.#open = true;
    if (!this.#open && !above) this.#learnCoupling(level, ms);
  }

  #learnCoupling(level: number, ms: number): void {
    if (this.#playback < lowestPlayback) return;
    const ratio = Math.min(2, level / this.#playback);
    const constant = ratio > this.#coupling ? couplingRiseMs : couplingFallMs;
    this.#coupling += (ratio - this.#coupling) * (1 - Math.exp(-ms / constant));
  }

  #learnNoise(level: number, ms: number): void {
    if (level < this.#noise)
      this.#noise += (level - this.#noise) * (1 - Math.exp(-ms / noiseFallMs));
    else
      this.#noise = Math.min(
        level,
        this.#noise * 10 ** ((noiseRiseDecibelsPerSecond * ms) / 20_000),
      );
    this.#noise = Math.min(0.05, Math.max(1e-4, this.#noise));
  }

  #close(): void {
    this.#open = false;
    this.#openMs = 0;
    this.#aboveMs = 0;
    this.#belowMs = 0;
  }
}
