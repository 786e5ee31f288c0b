import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ctcDecoder } from '../../../src/speech/stt/ctc-decoder.ts';
import type { CtcModel } from '../../../src/speech/stt/ctc-model.ts';
import { ctcStream } from '../../../src/speech/stt/ctc-stream.ts';
import { type EngineOptions, engineCache } from '../../../src/speech/stt/engines.ts';
import type { RecognitionStream } from '../../../src/speech/stt/recognizer.ts';
import { serialQueue } from '../../../src/speech/serial-queue.ts';
import { alphabet, columnsOf, peaky } from './logits.ts';

const hop = 640;

/** A model whose frame says the letter that its samples spell: sample value = column / 32. */
function spellingModel(): CtcModel & { readonly runs: number[] } {
  const runs: number[] = [];
  return {
    alphabet,
    languageModel: undefined,
    hop,
    runs,
    run(samples) {
      runs.push(samples.length);
      const frames = Math.ceil(samples.length / hop);
      const path = Array.from({ length: frames }, (_, frame) =>
        Math.round((samples[frame * hop] ?? 0) * 32),
      );
      return Promise.resolve(peaky(path) as Float32Array<ArrayBuffer>);
    },
    release: () => Promise.resolve(),
  };
}

/** Samples that spell a text: each letter a frame, a blank after it; '_' is a blank. */
function samplesOf(text: string): Float32Array<ArrayBuffer> {
  const path = Array.from(text, (letter) =>
    letter === '_' ? [0] : [...columnsOf(letter), 0],
  ).flat();
  return Float32Array.from(
    { length: path.length * hop },
    (_, i) => (path[Math.floor(i / hop)] ?? 0) / 32,
  );
}

function streamOf(model: CtcModel): RecognitionStream {
  return ctcStream({
    open: () => Promise.resolve({ ctc: model, decoder: ctcDecoder(alphabet) }),
    oneByOne: serialQueue(),
    credible: (heard) => heard,
  });
}

describe('a recognition stream', () => {
  it('understands the same however the audio is cut and whenever it is asked', async () => {
    const said = 'the assistant falls silent when a person speaks';
    const samples = samplesOf(said);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 30_000 }), fc.boolean()), { maxLength: 12 }),
        async (cuts) => {
          const stream = streamOf(spellingModel());
          let at = 0;
          for (const [length, ask] of cuts) {
            stream.push(samples.subarray(at, at + length));
            at += length;
            if (ask) await stream.partial();
          }
          stream.push(samples.subarray(at));
          expect((await stream.partial()).text).toBe(said);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('runs the model on what is new and its surroundings only', async () => {
    const model = spellingModel();
    const stream = streamOf(model);
    const samples = samplesOf('the quick brown fox jumps over the lazy dog again and again');
    for (let at = 0; at < samples.length; at += 4800) {
      stream.push(samples.subarray(at, at + 4800));
      await stream.partial();
    }
    expect(Math.max(...model.runs)).toBeLessThan(2.5 * 16_000);
  });

  it('settles long speech at pauses, so that it may go on for ever, and keeps its times', async () => {
    const model = spellingModel();
    const stream = streamOf(model);
    const sentence = 'one sentence of a very long speech';
    const samples = samplesOf(` ${sentence}________`);
    const times = 20;
    let text = '';
    let last = 0;
    for (let i = 0; i < times; i++) {
      stream.push(samples);
      const heard = await stream.partial();
      text = heard.text;
      last = heard.words.at(-1)?.end ?? 0;
    }
    expect(text).toBe(Array.from({ length: times }, () => sentence).join(' '));
    const endMs = (times * samples.length * 1000) / 16_000;
    expect(last).toBeGreaterThan(endMs - 600);
    expect(last).toBeLessThanOrEqual(endMs);
    expect(Math.max(...model.runs)).toBeLessThan(4 * 16_000);
  });

  it('is quiet once it is closed, and stops when told to', async () => {
    const model = spellingModel();
    const stream = streamOf(model);
    stream.push(samplesOf('hello'));
    await expect(stream.partial({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
    const running = stream.partial();
    stream.close();
    await expect(running).resolves.toMatchObject({ text: '' });
    stream.push(samplesOf('more'));
    await expect(stream.partial()).resolves.toMatchObject({ text: '' });
  });
});

describe('the engines of the scribe worker', () => {
  it('are one and the same for the same options', () => {
    const engine = engineCache();
    const embedded = { engine: 'ctc', model: '/models/antiphon-ctc-en' } as const;
    expect(engine({ ...embedded })).toBe(engine({ ...embedded }));
    expect(engine({ ...embedded, minConfidence: 0.1 })).not.toBe(engine(embedded));
    const remote = engine({ engine: 'remote', baseURL: 'http://localhost/v1', model: 'm' });
    expect(remote.stream).toBeUndefined();
  });

  it('refuse what they are not', () => {
    expect(() => engineCache()({ engine: 'parrot' } as unknown as EngineOptions)).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  });
});
