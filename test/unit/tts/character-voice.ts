/** A voice whose words are as long as they are written: 10 samples a character at 1 000 Hz. */
import type { SynthesizedSpeech } from '../../../src/speech/tts/synthesizer.ts';
import {
  scriptedSynthesizer,
  type ScriptedSynthesizer,
  type SpeechHook,
} from '../../../src/testing/index.ts';

export const voiceRate = 1000;

const samplesPerCharacter = 10;

/** Each sample of speech is the number of its character in the text (from 1) over 1000. */
function speak(text: string): SynthesizedSpeech {
  const samples = Float32Array.from(
    { length: text.length * samplesPerCharacter },
    (_, i) => (1 + Math.floor(i / samplesPerCharacter)) / 1000,
  );
  const marks = [...text.matchAll(/\s*\S+\s*/g)].map((match) => ({
    text: match[0],
    offset: match.index * samplesPerCharacter,
  }));
  return { samples, sampleRate: voiceRate, marks };
}

/** The voice; `hook` is called before each text. */
export const characterVoice = (hook?: SpeechHook): ScriptedSynthesizer =>
  scriptedSynthesizer(hook, { speak });
