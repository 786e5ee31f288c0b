import { describe, expect, it } from 'vitest';
import type { LoadProgress } from '../../../src/speech/stt/recognizer.ts';
import type {
  TransformersLibrary,
  TransformersTranscription,
} from '../../../src/speech/stt/transformers-library.ts';
import { transformersWith } from '../../../src/speech/stt/transformers-recognizer.ts';

const hum = Float32Array.from({ length: 16_000 }, (_, i) => 0.5 * Math.sin(i / 10));

/** The library's shape, with an answer made to order; the real one is tried in a package of its own. */
function library(answer: TransformersTranscription | Error): {
  load: () => Promise<TransformersLibrary>;
  calls: unknown[][];
  env: TransformersLibrary['env'];
  running: () => number;
  disposed: () => number;
} {
  const calls: unknown[][] = [];
  let disposed = 0;
  let running = 0;
  let most = 0;
  const env: TransformersLibrary['env'] = {
    allowRemoteModels: true,
    allowLocalModels: false,
    localModelPath: '/',
    backends: { onnx: { wasm: { wasmPaths: 'https://cdn.example/', numThreads: 0 } } },
  };
  const transcriber = Object.assign(
    async (...input: unknown[]) => {
      calls.push(input);
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    {
      dispose: () => {
        disposed++;
        return Promise.resolve();
      },
    },
  );
  return {
    calls,
    env,
    running: () => most,
    disposed: () => disposed,
    load: () =>
      Promise.resolve({
        env,
        pipeline: (...input: Parameters<TransformersLibrary['pipeline']>) => {
          calls.push(input);
          input[2].progress_callback({ status: 'initiate', file: 'a.onnx' });
          input[2].progress_callback({ status: 'progress', file: 'a.onnx', loaded: 5, total: 10 });
          return Promise.resolve(transcriber);
        },
      }),
  };
}

describe('transformersRecognizer', () => {
  it('takes models from the page and the runtime from the bundle, never from a CDN by itself', async () => {
    const { load, env, calls } = library({ text: 'hi' });
    const progress: LoadProgress[] = [];
    await transformersWith({ model: 'antiphon-ctc-en' }, load).load((news) => progress.push(news));
    expect(env).toEqual({
      allowRemoteModels: false,
      allowLocalModels: true,
      localModelPath: '/models/',
      backends: { onnx: { wasm: { wasmPaths: undefined, numThreads: 1 } } },
    });
    expect(calls[0]).toMatchObject([
      'automatic-speech-recognition',
      'antiphon-ctc-en',
      { device: 'wasm', dtype: 'q8' },
    ]);
    expect(progress).toEqual([{ asset: 'a.onnx', loaded: 5, total: 10 }]);
  });

  it('goes to the hub and takes the runtime from elsewhere only when told to', async () => {
    const { load, env } = library({ text: 'hi' });
    const options = { model: 'm', allowRemoteModels: true, wasmPaths: '/ort/' };
    await transformersWith(options, load).load();
    expect(env.allowRemoteModels).toBe(true);
    expect(env.backends.onnx.wasm?.wasmPaths).toBe('/ort/');
  });

  it('gives words with times in ms where the model knows them', async () => {
    const { load, calls } = library({
      text: ' Good day. ',
      chunks: [
        { text: ' Good', timestamp: [0.2, 0.5] },
        { text: ' day.', timestamp: [0.6, null] },
      ],
    });
    const recognizer = transformersWith({ model: 'm', wordTimes: true, language: 'en' }, load);
    await expect(recognizer.transcribe(hum)).resolves.toEqual({
      text: 'Good day.',
      words: [
        { text: 'Good', start: 200, end: 500 },
        { text: 'day.', start: 600, end: 600 },
      ],
      confidence: 1,
    });
    expect(calls[1]?.[1]).toEqual({ language: 'en', return_timestamps: 'word' });
  });

  it('runs one utterance at a time and none for silence', async () => {
    const { load, running, calls } = library({ text: 'hi' });
    const recognizer = transformersWith({ model: 'm' }, load);
    await Promise.all([recognizer.transcribe(hum), recognizer.transcribe(hum)]);
    await expect(recognizer.transcribe(new Float32Array(16_000))).resolves.toMatchObject({
      text: '',
    });
    expect(running()).toBe(1);
    expect(calls).toHaveLength(3);
  });

  it('says what to do when the package is missing, the model is missing, or a run fails', async () => {
    const missing = transformersWith({ model: 'm' }, () => Promise.reject(new Error('no module')));
    await expect(missing.load()).rejects.toMatchObject({
      code: 'unsupported',
      hint: expect.stringContaining('optional peer'),
    });
    const { load } = library(new Error('bad shape'));
    const broken = transformersWith({ model: 'm' }, load);
    await expect(broken.transcribe(hum)).rejects.toMatchObject({ code: 'model-run' });
    const lost = transformersWith({ model: 'gone' }, async () => ({
      ...(await load()),
      pipeline: () => Promise.reject(new Error('404')),
    }));
    await expect(lost.load()).rejects.toMatchObject({
      code: 'model-load',
      hint: expect.stringContaining('/models/gone/'),
    });
  });

  it('frees the model once, and refuses to work afterwards', async () => {
    const { load, disposed } = library({ text: 'hi' });
    const recognizer = transformersWith({ model: 'm' }, load);
    await recognizer.load();
    await recognizer.dispose();
    await recognizer.dispose();
    expect(disposed()).toBe(1);
    await expect(recognizer.transcribe(hum)).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});
