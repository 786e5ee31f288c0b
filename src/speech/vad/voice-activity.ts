/** What a voice activity detector is: audio frames in, speech probabilities out. */
import type { OnProgress } from '../stt/recognizer.ts';

/** Judges frames of a continuous stream; holds the stream's state. */
export interface VoiceActivityDetector {
  /** In hertz. */
  readonly sampleRate: number;
  /** Samples a frame. */
  readonly frameSize: number;
  /** Loads the model; idempotent. Errors: `model-load`. */
  load(onProgress?: OnProgress, signal?: AbortSignal): Promise<void>;
  /** Speech probability (0…1) of the next frame; calls are serialised, so un-awaited ones can't race. The buffer stays the caller's. */
  process(frame: Float32Array): Promise<number>;
  /** Forgets the stream; the model stays. */
  reset(): void;
  /** Frees the model. */
  dispose(): Promise<void>;
}
