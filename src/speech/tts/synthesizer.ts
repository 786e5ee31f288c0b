/** What a text-to-speech engine is. Any engine that fits runs in `TTSStage`. */
import type { WordMark } from '../../core/element.ts';
import type { OnProgress } from '../stt/recognizer.ts';

/** Speech for one text. */
export interface SynthesizedSpeech {
  /** Mono, −1…1, owned by the receiver; no silence to speak of around it. Empty for text without words. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** In hertz. */
  readonly sampleRate: number;
  /** Word → sample offset, never falling; the marks' texts concatenated equal the text that was given. Estimated where there are none. */
  readonly marks: readonly WordMark[];
}

/** A text-to-speech engine. */
export interface Synthesizer {
  /** Loads the voice; idempotent. Errors: `model-load`. */
  load(onProgress?: OnProgress, signal?: AbortSignal): Promise<void>;
  /** Speaks one sentence or less. Errors: `model-run`, `aborted`. */
  synthesize(text: string, options?: { readonly signal?: AbortSignal }): Promise<SynthesizedSpeech>;
  /** Frees the voice. */
  dispose(): Promise<void>;
}
