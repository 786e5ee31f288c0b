/** The embedded model through `@huggingface/transformers` in a real browser, and the word of the two engines compared. */
import { describe, expect, it } from 'vitest';
import manifest from '../fixtures/recogniser/manifest.json';
import { wavSamples } from '../fixtures/read-wav.ts';
import { ctcRecognizer } from '../../src/speech/stt/ctc-recognizer.ts';
import type { LoadProgress } from '../../src/speech/stt/recognizer.ts';
import { transformersRecognizer } from '../../src/speech/stt/transformers.ts';

const clip = async (file: string): Promise<Float32Array<ArrayBuffer>> =>
  wavSamples(await (await fetch(`/test/fixtures/recogniser/${file}`)).arrayBuffer());

const options = { model: 'antiphon-ctc-en', localModelPath: '/models/' };

describe('transformersRecognizer', () => {
  it('runs the embedded model from a folder, with progress, asking no other server for anything', async () => {
    performance.setResourceTimingBufferSize(5000);
    const progress: LoadProgress[] = [];
    const recognizer = transformersRecognizer(options);
    await recognizer.load((news) => progress.push(news));
    const model = progress.findLast(({ asset }) => asset === 'onnx/model_quantized.onnx');
    expect(model?.loaded).toBeGreaterThan(1_000_000);
    expect(model?.loaded).toBe(model?.total);

    // The library takes the likeliest symbol of each frame, as our greedy decoding does.
    const greedy = ctcRecognizer({
      model: '/models/antiphon-ctc-en',
      decoder: { method: 'greedy' },
    });
    let compared = 0;
    for (const { file, text } of manifest) {
      if (text === '') continue;
      const samples = await clip(file);
      const [theirs, ours] = [
        await recognizer.transcribe(samples),
        await greedy.transcribe(samples),
      ];
      expect(theirs.text).toBe(ours.text);
      compared++;
    }
    expect(compared).toBeGreaterThan(8);
    const asked = performance.getEntriesByType('resource').map(({ name }) => new URL(name));
    expect(asked.some(({ pathname }) => pathname.endsWith('.wasm'))).toBe(true);
    expect(asked.filter(({ origin }) => origin !== location.origin).map(String)).toEqual([]);
    await greedy.dispose();
    await recognizer.dispose();
  });

  it('hears nothing in silence, refuses NaN, and says where a model is missing', async () => {
    const recognizer = transformersRecognizer(options);
    await expect(recognizer.transcribe(new Float32Array(16_000))).resolves.toMatchObject({
      text: '',
    });
    await expect(recognizer.transcribe(Float32Array.of(Number.NaN))).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    const missing = transformersRecognizer({ ...options, model: 'nothing' });
    await expect(missing.load()).rejects.toMatchObject({
      code: 'model-load',
      hint: expect.stringContaining('/models/nothing/'),
    });
  });
});
