/**
 * Where words are in speech whose engine does not say: an estimate, from how long words are written and
 * where the audio pauses. For engines with times of their own (flite) it is not needed.
 */
import type { WordMark } from '../../core/element.ts';
import type { SpeakableWord } from './speakable.ts';

const frameMs = 10;
/** Quieter than this below the loudest frame is a pause, in dB. */
const pauseBelowPeakDb = 35;
/** Shortest pause that can be one between phrases, in frames. */
const minPause = 6;
/** How far from its expected place a pause may be, in frames of sound. */
const pauseReach = 30;
/** How far a word's beginning moves towards less energy, in frames. */
const dipReach = 5;

/** Silence kept in front of and behind the sound, in ms. */
const leadMs = 20;
const tailMs = 60;

/** Levels of frames of 10 ms, in dB, and which of them sound. */
function framesOf(
  samples: Float32Array,
  sampleRate: number,
): { readonly length: number; readonly levels: Float32Array; readonly sounds: readonly boolean[] } {
  const length = Math.max(1, Math.round((sampleRate * frameMs) / 1000));
  const levels = new Float32Array(Math.ceil(samples.length / length));
  for (let frame = 0; frame < levels.length; frame += 1) {
    const end = Math.min(samples.length, (frame + 1) * length);
    let power = 0;
    for (let i = frame * length; i < end; i += 1) power += (samples[i] ?? 0) ** 2;
    levels[frame] = 10 * Math.log10(power / length + 1e-12);
  }
  const peak = levels.reduce((loudest, level) => Math.max(loudest, level), -120);
  const least = Math.max(peak - pauseBelowPeakDb, -75);
  return { length, levels, sounds: Array.from(levels, (level) => level >= least) };
}

/** `samples` without the silence around the sound, 20 ms in front and 60 ms behind it kept. Copies. */
export function trimSilence(
  samples: Float32Array<ArrayBuffer>,
  sampleRate: number,
): Float32Array<ArrayBuffer> {
  const { length, sounds } = framesOf(samples, sampleRate);
  const first = sounds.indexOf(true);
  if (first < 0) return new Float32Array(0);
  const from = first * length - Math.round((leadMs * sampleRate) / 1000);
  const to = (sounds.lastIndexOf(true) + 1) * length + Math.round((tailMs * sampleRate) / 1000);
  return samples.slice(Math.max(0, from), to);
}

/**
 * A mark per word of `words`. A word behind punctuation begins where a pause near its expected place ends,
 * other words at the quietest place near theirs. Monotone and inside the samples.
 */
export function estimateMarks(
  words: readonly SpeakableWord[],
  samples: Float32Array,
  sampleRate: number,
): WordMark[] {
  const { length, levels, sounds } = framesOf(samples, sampleRate);
  /** Sounding frames, in order: expected places are counted in them, so that pauses take no time. */
  const sounding = sounds.flatMap((sound, frame) => (sound ? [frame] : []));
  const weights = words.map((word) => wordWeight(word.spoken));
  let weightLeft = weights.reduce((sum, weight) => sum + weight, 0);
  /** Where the estimate is sure: sounding frames before, and the weight since. */
  let anchor = 0;
  let since = 0;
  let offset = 0;
  let closed = false;
  return words.map((word, index) => {
    const weight = weights[index] ?? 0;
    if (weight > 0 && weightLeft > 0) {
      const share = since / weightLeft;
      const expected = Math.round(anchor + share * (sounding.length - anchor));
      const pause = closed ? pauseNear(sounding, expected, anchor) : undefined;
      if (pause !== undefined) {
        anchor = pause;
        weightLeft -= since;
        since = 0;
      }
      const frame = pause === undefined ? expected : pause;
      const place = sounding[frame] ?? sounds.length;
      const dipped = pause === undefined && index > 0 ? quietest(levels, place) : place;
      offset = Math.min(samples.length, Math.max(offset, dipped * length));
      since += weight;
      closed = /[,;:.!?]["')]*$/.test(word.spoken);
    } else if (since > 0) {
      const end = Math.round(anchor + (since / weightLeft) * (sounding.length - anchor)) - 1;
      offset = Math.min(samples.length, Math.max(offset, ((sounding[end] ?? 0) + 1) * length));
    }
    return { text: word.text, offset };
  });
}

/** About how long a word takes: letters, vowels twice, since they carry the time; digits are words. */
export function wordWeight(spoken: string): number {
  const letters = spoken.match(/\p{L}/gu)?.length ?? 0;
  const vowels = spoken.match(/[aeiouyäöü]+/giu)?.length ?? 0;
  const digits = spoken.match(/\p{N}/gu)?.length ?? 0;
  const spelled = /^\P{L}*\p{Lu}{2,5}\P{L}*$/u.test(spoken) ? letters * 3 : 0;
  return letters + vowels * 2 + digits * 6 + spelled;
}

/** Index into `sounding` of the frame behind the pause nearest to `expected`, beyond `after`. */
function pauseNear(
  sounding: readonly number[],
  expected: number,
  after: number,
): number | undefined {
  let nearest: number | undefined;
  const last = Math.min(sounding.length - 1, expected + pauseReach);
  for (let i = Math.max(after + 1, expected - pauseReach); i <= last; i += 1) {
    const gap = (sounding[i] ?? 0) - (sounding[i - 1] ?? 0) - 1;
    if (gap < minPause) continue;
    if (nearest === undefined || Math.abs(i - expected) < Math.abs(nearest - expected)) nearest = i;
  }
  return nearest;
}

function quietest(levels: Float32Array, frame: number): number {
  let best = frame;
  const last = Math.min(levels.length - 1, frame + dipReach);
  for (let i = Math.max(0, frame - dipReach); i <= last; i += 1)
    if ((levels[i] ?? 0) < (levels[best] ?? 0)) best = i;
  return best;
}
