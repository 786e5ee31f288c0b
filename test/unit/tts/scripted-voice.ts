/** A voice for tests: 10 samples a character at 1 000 Hz, so that every word's place is known. */
import type { WordMark } from '../../../src/core/element.ts';
import type { SynthesizedSpeech, Synthesizer } from '../../../src/speech/tts/synthesizer.ts';

export const samplesPerCharacter = 10;
export const voiceRate = 1000;

/** What a test may want to happen before a text is spoken; may throw or wait. */
export type Script = (text: string, call: number) => void | Promise<void>;

/** A scripted {@link Synthesizer} that remembers what it was asked to say. */
export interface ScriptedVoice extends Synthesizer {
  readonly spoken: readonly string[];
  readonly loads: number;
}

/** Each sample of speech is the number of its character in the text (from 1) over 1000. */
export function scriptedVoice(script: Script = () => undefined): ScriptedVoice {
  const spoken: string[] = [];
  const state = { loads: 0 };
  return {
    spoken,
    get loads() {
      return state.loads;
    },
    load() {
      state.loads += 1;
      return Promise.resolve();
    },
    async synthesize(text, options): Promise<SynthesizedSpeech> {
      spoken.push(text);
      await script(text, spoken.length);
      options?.signal?.throwIfAborted();
      const samples = new Float32Array(text.length * samplesPerCharacter);
      for (let i = 0; i < samples.length; i += 1)
        samples[i] = (1 + Math.floor(i / samplesPerCharacter)) / 1000;
      const marks: WordMark[] = [...text.matchAll(/\s*\S+\s*/g)].map((match) => ({
        text: match[0],
        offset: match.index * samplesPerCharacter,
      }));
      return { samples, sampleRate: voiceRate, marks };
    },
    dispose: () => Promise.resolve(),
  };
}
