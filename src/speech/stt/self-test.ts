/** Tells whether an engine works here, on a clip whose words are known. */
import { wordErrors } from './word-error-rate.ts';
import type { Recognizer } from './recognizer.ts';

/** A clip and what is said in it. */
export interface SelfTestClip {
  /** Mono samples at the recogniser's rate; stay the caller's. */
  readonly samples: Float32Array<ArrayBuffer>;
  readonly text: string;
}

/** What came out. */
export interface SelfTestResult {
  /** True when every word was understood. */
  readonly passed: boolean;
  /** What was understood. */
  readonly text: string;
  /** Of all words of the clip, how many were wrong: 0 is perfect. */
  readonly wordErrorRate: number;
  /** Time taken over the clip's length, loading apart: below 1 is faster than speech. */
  readonly realTimeFactor: number;
}

/** What is said in `models/antiphon-ctc-en/self-test.wav` (espeak-ng). */
export const selfTestText = 'set a timer for ten minutes';

/**
 * Has the recogniser understand a clip. Errors: those of `load` and `transcribe`.
 *
 * @example
 * const { samples } = decodeWav(await (await fetch('/models/antiphon-ctc-en/self-test.wav')).arrayBuffer());
 * const { passed, realTimeFactor } = await selfTest(recognizer, { samples, text: selfTestText });
 */
export async function selfTest(
  recognizer: Recognizer,
  clip: SelfTestClip,
  options: { readonly signal?: AbortSignal } = {},
): Promise<SelfTestResult> {
  await recognizer.load(undefined, options.signal);
  const startedAt = performance.now();
  const { text } = await recognizer.transcribe(clip.samples, options);
  const tookMs = performance.now() - startedAt;
  const { errors, words } = wordErrors(clip.text, text);
  return {
    passed: errors === 0,
    text,
    wordErrorRate: words === 0 ? errors : errors / words,
    realTimeFactor: tookMs / ((clip.samples.length * 1000) / recognizer.sampleRate),
  };
}
