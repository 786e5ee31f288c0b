/** What a recogniser takes for speech: checks, the level below which there is none, and where to cut. */
import { AntiphonError } from '../../core/errors.ts';

/** In hertz; what speech models of the field are trained on. */
export const speechSampleRate = 16_000;

/** Ten minutes; a turn is half a minute. */
const longest = 600 * speechSampleRate;
/** Shorter than any word. */
const shortest = 0.1 * speechSampleRate;

/**
 * Throws `invalid-argument` unless `samples` is a `Float32Array` of finite numbers of at most ten minutes.
 */
export function checkSpeech(samples: unknown): asserts samples is Float32Array<ArrayBuffer> {
  if (!(samples instanceof Float32Array))
    throw new AntiphonError('invalid-argument', 'Speech must be a Float32Array of samples.', {
      hint: 'Convert 16-bit PCM by dividing by 32768.',
    });
  if (samples.length > longest)
    throw new AntiphonError(
      'invalid-argument',
      `${Math.round(samples.length / speechSampleRate)} s of speech at once is too much.`,
      { hint: 'Cut recordings longer than ten minutes, at pauses.' },
    );
  for (let i = 0; i < samples.length; i++)
    if (!Number.isFinite(samples[i]))
      throw new AntiphonError('invalid-argument', `Sample ${i} is ${samples[i]}.`, {
        hint: 'A filter or a division by zero upstream makes such samples; all must be finite.',
      });
}

/** True when a person could be heard: a tenth of a second or more, louder than −60 dBFS somewhere. */
export function isAudible(samples: Float32Array): boolean {
  return samples.length >= shortest && samples.some((sample) => Math.abs(sample) > 0.001);
}

/** A stretch of samples, `end` excluded. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts long speech into pieces of at most 20 s at the quietest moment of each last 8 s, so that a run
 * stays short and its memory bounded. What is short enough stays whole.
 */
export function cutAtPauses(samples: Float32Array): Stretch[] {
  const atMost = 20 * speechSampleRate;
  const stretches: Stretch[] = [];
  let start = 0;
  while (samples.length - start > atMost) {
    const end = quietest(samples, start + 12 * speechSampleRate, start + atMost);
    stretches.push({ start, end });
    start = end;
  }
  stretches.push({ start, end: samples.length });
  return stretches;
}

/** The middle of the quietest 200 ms between two samples. */
function quietest(samples: Float32Array, from: number, to: number): number {
  const step = speechSampleRate / 50;
  const energies: number[] = [];
  for (let at = from; at + step <= to; at += step) {
    let energy = 0;
    for (let i = at; i < at + step; i++) energy += samples[i]! ** 2;
    energies.push(energy);
  }
  let best = 0;
  let lowest = Infinity;
  for (let i = 0; i + 10 <= energies.length; i++) {
    const energy = energies.slice(i, i + 10).reduce((sum, value) => sum + value, 0);
    if (energy < lowest) {
      lowest = energy;
      best = i;
    }
  }
  return from + (best + 5) * step;
}
