/** Scripts for tests: a detector that reads each frame's probability from its first sample, and streams made of such frames. */
import {
  type AudioElement,
  element,
  type ElementOf,
  type Kind,
  type StreamElement,
} from '../../../src/core/element.ts';
import type { VoiceActivityDetector } from '../../../src/speech/vad/voice-activity.ts';

/** One frame, ms. */
export const frameMs = 32;

/** A detector that gives `frame[0]`. */
export function scriptedVad(): VoiceActivityDetector {
  return {
    sampleRate: 16_000,
    frameSize: 512,
    load: () => Promise.resolve(),
    process: (frame) => Promise.resolve(frame[0] ?? 0),
    reset: () => undefined,
    dispose: () => Promise.resolve(),
  };
}

/** `[ms, probability]` pieces, one after another, as probabilities of frames. */
export function frames(
  ...pieces: readonly (readonly [ms: number, probability: number])[]
): number[] {
  return pieces.flatMap(([ms, probability]) =>
    Array.from({ length: Math.round(ms / frameMs) }, () => probability),
  );
}

/** The probabilities as microphone frames: 0 ms is the first sample. */
export function microphone(probabilities: readonly number[], from = 0): AudioElement[] {
  return probabilities.map((probability, index) =>
    element('audio', {
      samples: new Float32Array(512).fill(probability),
      sampleRate: 16_000,
      at: (from + index) * frameMs,
    }),
  );
}

/** The elements of one kind. */
export function only<K extends Kind>(elements: readonly StreamElement[], kind: K): ElementOf<K>[] {
  return elements.filter((each): each is ElementOf<K> => each.kind === kind);
}
