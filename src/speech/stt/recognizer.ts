/** What a speech-to-text engine is. Any engine that fits runs in `STTStage`. */
import type { TimedWord } from '../../core/element.ts';

/** Bytes of a download so far. `total` is 0 while unknown. */
export interface LoadProgress {
  readonly asset: string;
  readonly loaded: number;
  readonly total: number;
}

/** Told about every chunk of a download. */
export type OnProgress = (progress: LoadProgress) => void;

/** What was understood. */
export interface Recognition {
  /** Empty when there was no speech. */
  readonly text: string;
  /** Times in ms relative to the first sample. */
  readonly words: readonly TimedWord[];
  /** 0…1. */
  readonly confidence: number;
}

/** Options of {@link Recognizer.transcribe}. */
export interface TranscribeOptions {
  readonly signal?: AbortSignal;
  /** Told about better and better versions while a long input is decoded. */
  readonly onPartial?: (partial: Recognition) => void;
}

/** A running recognition of audio that is still arriving. */
export interface RecognitionStream {
  /** Adds mono 16 kHz samples; the buffer stays the caller's. Never waits. */
  push(samples: Float32Array): void;
  /** Understands what has arrived so far, computing only what changed. */
  partial(options?: { readonly signal?: AbortSignal }): Promise<Recognition>;
  /** Forgets everything. */
  close(): void;
}

/** A speech-to-text engine for mono 16 kHz audio. */
export interface Recognizer {
  /** In hertz; what `transcribe` takes. */
  readonly sampleRate: number;
  /** Loads the model; idempotent. Errors: `model-load`. */
  load(onProgress?: OnProgress, signal?: AbortSignal): Promise<void>;
  /** Understands one utterance; runs are serialised. Errors: `invalid-argument`, `model-run`. */
  transcribe(samples: Float32Array<ArrayBuffer>, options?: TranscribeOptions): Promise<Recognition>;
  /** For interim results; absent where the engine can't. */
  stream?(): RecognitionStream;
  /** Frees the model. The engine can't be used afterwards. */
  dispose(): Promise<void>;
}
