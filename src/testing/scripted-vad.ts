/** Voice activity detectors whose judgement a test knows beforehand. */
import { meanSquare } from '../audio/level.ts';
import { samplesToMs } from '../core/time.ts';
import type { VoiceActivityDetector } from '../speech/vad/voice-activity.ts';
import { asScripted, Script, type Verifiable } from './script.ts';

/** `[ms, probability]` pieces, one behind the other, rounded to whole frames. */
export type VadTimeline = readonly (readonly [ms: number, probability: number])[];

/** Decides by the frame and its number, from 0; may throw. */
export type VadJudge = (frame: Float32Array, index: number) => number;

/** Options of {@link scriptedVad}. */
export interface ScriptedVadOptions {
  /** In hertz; 16 000 unless given. */
  readonly sampleRate?: number;
  /** Samples a frame; 512 unless given. */
  readonly frameSize?: number;
  /** Instead of loading a model; may wait or throw. */
  readonly load?: () => void | Promise<void>;
}

/** A detector and what it saw. */
export interface ScriptedVad extends VoiceActivityDetector, Verifiable {
  /** Frames judged. */
  readonly frames: number;
  /** How often it was loaded, reset and disposed. */
  readonly loads: number;
  readonly resets: number;
  readonly disposals: number;
}

/** The probability of a frame is its first sample: goes with `elements().probabilities(…)`. */
const firstSample: VadJudge = (frame) => frame[0] ?? 0;

/**
 * A voice activity detector that follows a script. A timeline is strict: a frame behind its end is an
 * `expectation` error, and `verify()` wants it used up.
 *
 * @param script a timeline, or a function; the first sample of each frame unless given
 *
 * @example
 * const vad = scriptedVad([[500, 0], [640, 0.95], [800, 0]]);
 */
export function scriptedVad(
  script: VadTimeline | VadJudge = firstSample,
  options: ScriptedVadOptions = {},
): ScriptedVad {
  const { sampleRate = 16_000, frameSize = 512, load } = options;
  const frameMs = samplesToMs(frameSize, sampleRate);
  const steps =
    typeof script === 'function'
      ? []
      : script.flatMap(([ms, probability]) =>
          Array.from({ length: Math.round(ms / frameMs) }, () => probability),
        );
  const timeline = new Script('the detector', steps, (step) => `a frame (${step})`);
  let [frames, loads, resets, disposals] = [0, 0, 0, 0];
  const judge = (frame: Float32Array): number => {
    if (frame.length !== frameSize)
      throw timeline.fail(`the detector takes ${frameSize} samples and got ${frame.length}`);
    const index = frames;
    frames += 1;
    if (typeof script === 'function') return script(frame, index);
    const probability = timeline.take();
    if (probability === undefined) throw timeline.tooMany(`given a frame at ${index * frameMs} ms`);
    return probability;
  };
  return asScripted({
    sampleRate,
    frameSize,
    get frames() {
      return frames;
    },
    get loads() {
      return loads;
    },
    get resets() {
      return resets;
    },
    get disposals() {
      return disposals;
    },
    async load() {
      loads += 1;
      await load?.();
    },
    // Async, so that what the script throws is a rejection.
    process: async (frame) => judge(frame),
    reset: () => {
      resets += 1;
    },
    async dispose() {
      disposals += 1;
    },
    verify: () => timeline.verify(),
  });
}

/** Options of {@link levelVad}. */
export interface LevelVadOptions extends ScriptedVadOptions {
  /** Root mean square from which a frame is speech; 0.02 (−34 dBFS) unless given. */
  readonly threshold?: number;
}

/** A detector that takes everything loud for speech: 0.95, else 0.01. For tones; no detector for real rooms. */
export function levelVad({ threshold = 0.02, ...options }: LevelVadOptions = {}): ScriptedVad {
  const power = threshold * threshold;
  return scriptedVad((frame) => (meanSquare(frame) > power ? 0.95 : 0.01), options);
}
