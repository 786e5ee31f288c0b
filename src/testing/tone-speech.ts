/** Speech made of tones: a word is a tone of fixed length, so that every word's place is known. */
import { msToSamples } from '../core/time.ts';
import type { SynthesizedSpeech } from '../speech/tts/synthesizer.ts';
import { tone } from './sounds.ts';

/** How {@link toneSpeech} sounds. */
export interface ToneSpeechOptions {
  /** Length of a word, the gap behind it included; 200 ms unless given. */
  readonly wordMs?: number;
  /** Silence at the end of each word; 20 ms unless given. */
  readonly gapMs?: number;
  /** In hertz; 16 000 unless given. */
  readonly sampleRate?: number;
  /** Amplitude, 0…1; 0.5 unless given. */
  readonly level?: number;
  /** The tone of a word, in hertz; rises word by word from 300 in steps of 20 unless given. */
  readonly frequency?: (word: string, index: number) => number;
}

/** `text` as tones, with a mark per word; white space belongs to the word before it. */
export function toneSpeech(text: string, options: ToneSpeechOptions = {}): SynthesizedSpeech {
  const { wordMs = 200, gapMs = 20, sampleRate = 16_000, level = 0.5 } = options;
  const { frequency = (_, index) => 300 + 20 * (index % 100) } = options;
  const words = text.match(/\s*\S+\s*/g) ?? [];
  const length = msToSamples(wordMs, sampleRate);
  const samples = new Float32Array(words.length * length);
  const marks = words.map((word, index) => {
    const pitch = frequency(word.trim(), index);
    const sound = tone(wordMs - gapMs, { frequency: pitch, level, sampleRate });
    samples.set(sound.samples, index * length);
    return { text: word, offset: index * length };
  });
  return { samples, sampleRate, marks };
}
