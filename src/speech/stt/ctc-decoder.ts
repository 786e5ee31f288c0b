/** From a CTC model's log posteriors to text: what a decoder is, and which one to take. */
import type { CtcAlphabet } from './ctc/alphabet.ts';
import { type BeamOptions, beamDecoder } from './ctc/beam-decoder.ts';
import { greedyDecoder } from './ctc/greedy-decoder.ts';

/**
 * A frame-synchronous decoder: how its input is cut into pieces does not matter. It remembers one
 * position to which it can return, so that the last, still unreliable frames can be tried and taken back.
 */
export interface CtcDecoder {
  /** Adds frames of log posteriors (rows of as many values as the alphabet has symbols); stays the caller's. */
  push(logPosteriors: Float32Array): void;
  /** The best spelling, as symbol columns, if the audio ended here. */
  best(): number[];
  /** Remembers this position, in place of an earlier one. */
  mark(): void;
  /** Returns to the position remembered, which stays remembered. */
  rewind(): void;
  /** Forgets everything. */
  reset(): void;
}

/** How to decode. */
export interface DecoderOptions extends BeamOptions {
  /** `greedy` takes the best symbol of each frame; `beam` (default) weighs spellings, with words where known. */
  readonly method?: 'greedy' | 'beam';
}

/** Makes the decoder that `options` ask for. */
export function ctcDecoder(alphabet: CtcAlphabet, options: DecoderOptions = {}): CtcDecoder {
  return options.method === 'greedy' ? greedyDecoder(alphabet) : beamDecoder(alphabet, options);
}
