/** The knobs of the beam search. A language model brings the values tuned for it. */

/** How wide to search and how much words count. All scores are natural logarithms. */
export interface BeamSettings {
  /** Spellings kept from frame to frame, 24 unless given. */
  readonly beamWidth?: number;
  /** Symbols tried in a frame beside the blank, the likeliest ones; 12 unless given. */
  readonly symbolsPerFrame?: number;
  /** How far below the frame's best a symbol may be to be tried; 7 unless given. */
  readonly symbolRange?: number;
  /** What the language model's log probabilities are multiplied by; 0.6 unless given. */
  readonly languageModelWeight?: number;
  /** Added for every word, against the language model's taste for few; 0.8 unless given. */
  readonly wordBonus?: number;
  /** Log probability of a word that is not in the list; −9 unless given. */
  readonly unknownWord?: number;
  /** Log probability for each of its letters; −0.5 unless given. */
  readonly unknownLetter?: number;
  /** How much of the likeliest completion's score an unfinished word is given in advance, 0…1; 0.5 unless given. */
  readonly lookAhead?: number;
}

/** What applies where neither the caller nor the language model says otherwise. */
export const beamDefaults: Required<BeamSettings> = {
  beamWidth: 24,
  symbolsPerFrame: 12,
  symbolRange: 7,
  languageModelWeight: 0.6,
  wordBonus: 0.8,
  unknownWord: -9,
  unknownLetter: -0.5,
  lookAhead: 0.5,
};
