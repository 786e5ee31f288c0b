/** When a pause is the end of a turn: the silence policy with a learned delay, and the seat for a model. */

/** Decides how much silence ends a turn. */
export interface EndpointPolicy {
  /**
   * The silence after which the turn is over now, ms.
   *
   * @param completion how sure a {@link TurnDetector} is that the turn is complete (0…1); undefined when
   * there is none or it has not answered yet
   */
  delayMs(completion?: number): number;
  /** The person paused for `pauseMs` and went on: it was no end. */
  held(pauseMs: number): void;
}

/** What a {@link TurnDetector} judges. */
export interface TurnEvidence {
  readonly turn: number;
  /** The turn so far, mono; the detector's own copy. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** In hertz. */
  readonly sampleRate: number;
  /** The words so far; empty when nobody transcribes. */
  readonly text: string;
}

/** A model of audio or text that tells a thinking pause from the end of a turn; asked once a pause. */
export interface TurnDetector {
  /** Probability (0…1) that the turn is complete. A rejection counts as no answer. */
  predict(evidence: TurnEvidence, signal: AbortSignal): Promise<number>;
}

/** Tuning of {@link learnedSilence}, ms. */
export interface LearnedSilenceOptions {
  /** The delay before anything was learned; 600 unless given. */
  readonly initialMs?: number;
  /** Never less; 500 unless given. */
  readonly minMs?: number;
  /** Never more; 3 000 unless given. */
  readonly maxMs?: number;
  /** Delay when a {@link TurnDetector} says complete; 300 unless given. */
  readonly completeMs?: number;
  /** Delay when it says incomplete; 2 500 unless given. */
  readonly incompleteMs?: number;
}

/** The median pause inside a turn before anything is known of the person. */
const priorMedianMs = 250;
/** Standard deviation of the logarithm of the same. */
const priorSpread = 0.55;
/** A person's pauses are never taken for more regular than this. */
const leastSpread = 0.4;
/** What one pause moves, after LiveKit's dynamic end-pointing. */
const weight = 0.1;
/** Shorter silences belong to articulation. */
const shortestPauseMs = 100;

/**
 * Waits so long that few of this person's thinking pauses are longer: keeps mean and spread of the
 * logarithm of the pauses after which they went on, and waits for a fixed quantile (the one that makes
 * the prior's delay `initialMs`, about 5 % longer pauses). LiveKit's dynamic end-pointing averages the
 * pauses; a quantile reacts to the rare long ones that cost a cut-off, an idea of Raux and Eskénazi
 * ("Optimizing Endpointing Thresholds using Dialogue Features", 2008).
 */
export function learnedSilence(options: LearnedSilenceOptions = {}): EndpointPolicy {
  const settings = {
    initialMs: 600,
    minMs: 500,
    maxMs: 3000,
    completeMs: 300,
    incompleteMs: 2500,
    ...options,
  };
  const deviations = Math.log(settings.initialMs / priorMedianMs) / priorSpread;
  let mean = Math.log(priorMedianMs);
  let variance = priorSpread ** 2;
  return {
    delayMs(completion) {
      if (completion !== undefined)
        return completion >= 0.5 ? settings.completeMs : settings.incompleteMs;
      const spread = Math.max(leastSpread, Math.sqrt(variance));
      const learned = Math.exp(mean + deviations * spread);
      return Math.min(settings.maxMs, Math.max(settings.minMs, learned));
    },
    held(pauseMs) {
      if (!(pauseMs >= shortestPauseMs)) return;
      const away = Math.log(Math.min(pauseMs, settings.maxMs)) - mean;
      mean += weight * away;
      variance = (1 - weight) * (variance + weight * away ** 2);
    },
  };
}

/** Always the same silence, unless a {@link TurnDetector} knows better. */
export function fixedSilence(delayMs: number): EndpointPolicy {
  return learnedSilence({ initialMs: delayMs, minMs: delayMs, maxMs: delayMs });
}
