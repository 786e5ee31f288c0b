/** Sounds for tests, as recordings. */
import type { Recording } from '../audio/wav.ts';
import { AntiphonError } from '../core/errors.ts';
import { msToSamples } from '../core/time.ts';

/** What a {@link tone} sounds like. */
export interface ToneOptions {
  /** In hertz; 440 unless given. */
  readonly frequency?: number;
  /** Amplitude, 0…1; 0.5 unless given. */
  readonly level?: number;
  /** In hertz; 16 000 unless given. */
  readonly sampleRate?: number;
}

/** A sine of `ms` milliseconds that begins at zero. */
export function tone(ms: number, options: ToneOptions = {}): Recording {
  const { frequency = 440, level = 0.5, sampleRate = 16_000 } = options;
  const samples = new Float32Array(msToSamples(ms, sampleRate));
  const step = (2 * Math.PI * frequency) / sampleRate;
  for (let i = 0; i < samples.length; i += 1) samples[i] = level * Math.sin(i * step);
  return { samples, sampleRate };
}

/** `ms` milliseconds of zeros, at 16 000 Hz unless another rate is given. */
export function silence(ms: number, sampleRate: number = 16_000): Recording {
  return { samples: new Float32Array(msToSamples(ms, sampleRate)), sampleRate };
}

/** One recording behind the other. Throws `invalid-argument` when their rates differ. */
export function join(...recordings: readonly Recording[]): Recording {
  const sampleRate = recordings[0]?.sampleRate ?? 16_000;
  const other = recordings.find((recording) => recording.sampleRate !== sampleRate);
  if (other)
    throw new AntiphonError(
      'invalid-argument',
      `Recordings of ${sampleRate} Hz and of ${other.sampleRate} Hz can't be joined.`,
      { hint: 'Resample one of them first.' },
    );
  const length = recordings.reduce((sum, { samples }) => sum + samples.length, 0);
  const joined = new Float32Array(length);
  let at = 0;
  for (const { samples } of recordings) {
    joined.set(samples, at);
    at += samples.length;
  }
  return { samples: joined, sampleRate };
}
