/** What a recording says, by the embedded recogniser, in this process. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { resample } from '../../src/audio/resample.ts';
import { ctcRecognizer } from '../../src/speech/stt/ctc-recognizer.ts';
import type { Recognizer } from '../../src/speech/stt/recognizer.ts';
import type { Clip } from './voice-page.ts';

const file = (name: string): Uint8Array<ArrayBuffer> => {
  const path = new URL(`../../models/antiphon-ctc-en/${name}`, import.meta.url);
  return new Uint8Array(readFileSync(fileURLToPath(path)));
};

let recognizer: Recognizer | undefined;

/** The words of a recording, lower case, separated by spaces. */
export async function transcribe({ samples, sampleRate }: Clip): Promise<string> {
  recognizer ??= ctcRecognizer({
    model: {
      config: file('config.json'),
      vocabulary: file('vocab.json'),
      model: file('onnx/model_quantized.onnx'),
      languageModel: file('language-model.bin'),
    },
  });
  const { text } = await recognizer.transcribe(resample(samples, sampleRate, 16_000));
  return text;
}
