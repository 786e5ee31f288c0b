/** A language of tones: each word has a pitch of its own, so that a few lines can understand what was really in the samples. */
import type { Recording } from '../audio/wav.ts';
import type { TimedWord } from '../core/element.ts';
import { AntiphonError } from '../core/errors.ts';
import { msToSamples, samplesToMs } from '../core/time.ts';
import type { Recognition, Recognizer } from '../speech/stt/recognizer.ts';
import { asScripted } from './script.ts';
import { scriptedSynthesizer, type ScriptedSynthesizer } from './scripted-synthesizer.ts';
import { toneSpeech } from './tone-speech.ts';

/** Pitch of the first word and the step to the next, in hertz; the last is far below what 16 kHz can hold. */
const lowestPitch = 300;
const pitchStep = 40;
const mostWords = 150;
/** Quieter is silence. */
const quietest = 0.01;
/** So much quiet ends a word, in ms; shorter sounds are no words. */
const gapMs = 6;
const shortestWordMs = 30;

/** Made by {@link toneLanguage}. */
export interface ToneLanguage {
  /** `text` spoken, in `ms` altogether, at 16 000 Hz: 350 a word unless given. */
  say(text: string, ms?: number): Recording;
  /** The words in a recording, ms from its first sample. `?` is a sound that is no word of the language. */
  understand(recording: Recording): readonly TimedWord[];
  /** A voice that speaks the language. */
  readonly synthesizer: ScriptedSynthesizer;
  /** A recogniser that understands it, whatever the order, and while it is spoken. */
  readonly recognizer: Recognizer;
}

/**
 * Voice and recogniser that really talk to each other: a word whose first syllable was cut off, or that was
 * spoken twice, is heard as such. Words are learned as they are spoken; at most 150.
 *
 * @example
 * const { say, understand } = toneLanguage();
 * understand(say('what time is it')).map(({ text }) => text); // ['what', 'time', 'is', 'it']
 */
export function toneLanguage(): ToneLanguage {
  const vocabulary: string[] = [];
  const frequency = (word: string): number => {
    const plain = bare(word);
    let index = vocabulary.indexOf(plain);
    if (index === -1) index = vocabulary.push(plain) - 1;
    if (index >= mostWords)
      throw new AntiphonError('expectation', `a language of tones has at most ${mostWords} words`, {
        hint: 'Use fewer different words in one test.',
      });
    return lowestPitch + pitchStep * index;
  };
  const wordOf = (pitch: number): string => {
    const place = (pitch - lowestPitch) / pitchStep;
    const index = Math.round(place);
    return Math.abs(place - index) < 0.3 ? (vocabulary[index] ?? '?') : '?';
  };
  const understand = ({ samples, sampleRate }: Recording): TimedWord[] =>
    soundsIn(samples, sampleRate).map(({ from, to }) => ({
      text: wordOf(pitchOf(samples.subarray(from, to), sampleRate)),
      start: samplesToMs(from, sampleRate),
      end: samplesToMs(to, sampleRate),
    }));
  return {
    understand,
    say(text, ms) {
      const words = text.split(/\s+/).filter((word) => word !== '').length;
      const wordMs = ms === undefined ? 350 : ms / Math.max(1, words);
      const { samples, sampleRate } = toneSpeech(text, { frequency, wordMs });
      return { samples, sampleRate };
    },
    synthesizer: scriptedSynthesizer(undefined, {
      speak: (text) => toneSpeech(text, { frequency }),
    }),
    recognizer: toneRecognizer(understand),
  };
}

function toneRecognizer(understand: ToneLanguage['understand']): Recognizer {
  const sampleRate = 16_000;
  const recognise = (samples: Float32Array<ArrayBuffer>): Recognition => {
    const words = understand({ samples, sampleRate });
    return { text: words.map(({ text }) => text).join(' '), words, confidence: 0.9 };
  };
  return asScripted({
    sampleRate,
    load: async () => {},
    transcribe: async (samples) => recognise(samples),
    stream() {
      let heard = new Float32Array(0);
      return {
        push(samples) {
          const longer = new Float32Array(heard.length + samples.length);
          longer.set(heard);
          longer.set(samples, heard.length);
          heard = longer;
        },
        partial: async () => recognise(heard),
        close() {
          heard = new Float32Array(0);
        },
      };
    },
    dispose: async () => {},
  });
}

/** A word without what surrounds it in writing. */
function bare(word: string): string {
  return word.toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Loud stretches, in samples; one that goes on at the end is not over and left out. */
function soundsIn(samples: Float32Array, sampleRate: number): Span[] {
  const gap = msToSamples(gapMs, sampleRate);
  const shortest = msToSamples(shortestWordMs, sampleRate);
  const spans: Span[] = [];
  let from = -1;
  let lastLoud = -1;
  for (let i = 0; i <= samples.length; i += 1) {
    const isLoud = Math.abs(samples[i] ?? 0) > quietest;
    if (isLoud && from < 0) from = i;
    if (isLoud) lastLoud = i;
    if (from < 0 || i - lastLoud < gap) continue;
    if (lastLoud - from >= shortest) spans.push({ from, to: lastLoud + 1 });
    from = -1;
  }
  return spans;
}

/** In hertz, by rising zero crossings; without the edges, where a resampled tone rings. */
function pitchOf(samples: Float32Array, sampleRate: number): number {
  const edge = Math.round(samples.length / 8);
  let [first, last, crossings] = [0, 0, 0];
  for (let i = edge + 1; i < samples.length - edge; i += 1) {
    const [before, after] = [samples[i - 1] ?? 0, samples[i] ?? 0];
    if (before >= 0 || after < 0) continue;
    last = i - after / (after - before);
    if (crossings === 0) first = last;
    crossings += 1;
  }
  return crossings < 2 ? 0 : ((crossings - 1) * sampleRate) / (last - first);
}
