/** Options of the stages that speak, and of the worker that holds one of them. */
import type { FliteOptions } from '../../speech/tts/flite.ts';
import type { RemoteSynthesizerOptions } from '../../speech/tts/remote-synthesizer.ts';
import type { SentenceSplitterOptions } from '../../speech/tts/sentence-splitter.ts';
import type { Synthesizer } from '../../speech/tts/synthesizer.ts';
import type { SpeechRetry } from './speech-error.ts';

/** Options of `TTSStage`. */
export interface TTSOptions {
  /** The engine; loaded by `prepare`, disposed of by whoever made it. */
  readonly synthesizer: Synthesizer;
  /** Name in graphs and events. Default `tts`. */
  readonly name?: string;
  /** In hertz; the engine's own rate unless given. */
  readonly outputSampleRate?: number;
  /** Shorter texts, white space not counted, are not spoken. Default 1. */
  readonly minTextLength?: number;
  /** How often a text is tried again after a retryable error. Default 3 attempts, 250 ms, at most 2 s. */
  readonly retry?: SpeechRetry;
}

/** Options of `TTSStageWithInterruption`. */
export interface TTSWithInterruptionOptions extends TTSOptions {
  /** How replies are cut into sentences. Default: a short first piece (60 characters), then up to 240. */
  readonly splitter?: SentenceSplitterOptions;
  /** Longest piece of speech, in ms; pieces end where words end. Default 200. */
  readonly maxPieceMs?: number;
  /** Silence between two sentences, in ms; within a sentence that was cut, a third of it. Default 180. */
  readonly sentencePauseMs?: number;
  /** How many pieces may wait, synthesised, for a slow reader. Default 24. */
  readonly lookAhead?: number;
}

/** Options of a remote voice that can be posted to a worker. */
export type PostableRemoteVoice = Omit<RemoteSynthesizerOptions, 'fetch' | 'token'> & {
  readonly token?: string;
};

/**
 * What the page posts to the `voice` worker: the options of its stage, and instead of an engine, which can't
 * be posted, those of the embedded voice or of a remote one. Addresses are strings: a `URL` can't be posted
 * either.
 */
export type VoiceWorkerOptions = Omit<TTSWithInterruptionOptions, 'synthesizer'> &
  ({ readonly flite: FliteOptions } | { readonly remote: PostableRemoteVoice });
