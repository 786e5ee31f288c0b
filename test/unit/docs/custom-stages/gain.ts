import { AntiphonError, transform, type Stage } from '../../../../src/index.ts';

/** Options of {@link gain}. */
export interface GainOptions {
  /** How much louder, in decibels; less than 0: quieter. */
  readonly decibels: number;
  /** The stage's name; `gain` unless given. */
  readonly name?: string;
}

/** Makes a microphone louder; samples stay within −1…1. Throws `invalid-argument` for what is no number. */
export function gain({ decibels, name = 'gain' }: GainOptions): Stage<'audio', 'audio'> {
  if (!Number.isFinite(decibels))
    throw new AntiphonError('invalid-argument', `A gain of ${decibels} dB makes no sense.`, {
      hint: 'Give a number of decibels; 6 doubles the amplitude.',
    });
  const factor = 10 ** (decibels / 20);
  return transform({
    name,
    consumes: ['audio'],
    emits: ['audio'],
    process(audio) {
      const samples = audio.samples.map((sample) => Math.max(-1, Math.min(1, sample * factor)));
      return { ...audio, samples };
    },
  });
}
