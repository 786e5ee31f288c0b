/** The embedded recogniser in a real browser: what it understands, what it refuses, what it leaves behind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import selfTestUrl from '../../../models/antiphon-ctc-en/self-test.wav?url';
import { decodeWav } from '../../../src/audio/wav.ts';
import { ctcRecognizer } from '../../../src/speech/stt/ctc-recognizer.ts';
import type { LoadProgress, Recognizer } from '../../../src/speech/stt/recognizer.ts';
import { selfTest, selfTestText } from '../../../src/speech/stt/self-test.ts';
import { wordErrorRate } from '../../../src/speech/stt/word-error-rate.ts';
import { type Clip, fixtureClips, humanClips, modelFiles } from './fixtures.ts';

let recognizer: Recognizer;
let clips: Clip[];
const progress: LoadProgress[] = [];

beforeAll(async () => {
  clips = await fixtureClips();
  recognizer = ctcRecognizer({ model: modelFiles });
  await recognizer.load((news) => progress.push(news));
});
afterAll(() => recognizer.dispose());

const clipOf = (name: string): Clip => {
  const clip = clips.find((each) => each.name === name);
  if (clip === undefined) throw new Error(`no clip ${name}`);
  return clip;
};

/** Word error rate of clips, printed. */
async function measure(name: string, some: readonly Clip[]): Promise<number> {
  const pairs = [];
  for (const { text, samples } of some) {
    const heard = await recognizer.transcribe(samples);
    pairs.push({ said: text, heard: heard.text });
  }
  const rate = wordErrorRate(pairs);
  const wrong = pairs.filter(({ said, heard }) => said !== heard);
  const lines = wrong.map(({ said, heard }) => `\n  "${said}" heard as "${heard}"`);
  console.info(
    `word error rate, ${name}: ${(rate * 100).toFixed(1)} % of ${pairs.length} clips${lines.join('')}`,
  );
  return rate;
}

/** Repeatable noise, −1…1. */
function noise(length: number, seed = 1): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const tone = (hertz: number, gain: number, seconds = 2): Float32Array<ArrayBuffer> =>
  Float32Array.from(
    { length: seconds * 16_000 },
    (_, i) => gain * Math.sin((2 * Math.PI * hertz * i) / 16_000),
  );

describe('the embedded recogniser understands', () => {
  it('the domain of the demo and digits nearly without error', async () => {
    const near = clips.filter(({ kind }) => kind === 'domain' || kind === 'digits');
    expect(near.length).toBeGreaterThan(5);
    expect(await measure('domain and digits', near)).toBeLessThanOrEqual(0.1);
  });

  it('most of open sentences', async () => {
    const open = clips.filter(({ kind }) => kind === 'open');
    expect(open.length).toBeGreaterThan(2);
    expect(await measure('open sentences', open)).toBeLessThan(0.4);
  });

  it('people, as well as it can', async () => {
    const people = await humanClips();
    for (const kind of new Set(people.map((clip) => clip.kind))) {
      const rate = await measure(
        kind,
        people.filter((clip) => clip.kind === kind),
      );
      expect(rate).toBeGreaterThanOrEqual(0);
    }
  });

  it('the clip it tests itself with', async () => {
    const { samples } = decodeWav(await (await fetch(selfTestUrl)).arrayBuffer());
    const result = await selfTest(recognizer, { samples, text: selfTestText });
    expect(result).toMatchObject({ passed: true, wordErrorRate: 0 });
    console.info(`real-time factor of the self test: ${result.realTimeFactor.toFixed(3)}`);
  });

  it('and says where each word was', async () => {
    const { samples } = clipOf('domain-1.wav');
    const { words, text, confidence } = await recognizer.transcribe(samples);
    expect(words.map((word) => word.text).join(' ')).toBe(text);
    expect(words.length).toBeGreaterThan(4);
    let last = 0;
    for (const { start, end } of words) {
      expect(start).toBeGreaterThanOrEqual(last);
      expect(end).toBeGreaterThan(start);
      last = end;
    }
    expect(last).toBeLessThanOrEqual((samples.length * 1000) / 16_000);
    expect(confidence).toBeGreaterThan(0.5);
  });

  it('speech that goes on for longer than a run, piece by piece', async () => {
    const { samples, text } = clipOf('domain-0.wav');
    const times = Math.ceil((45 * 16_000) / samples.length);
    const long = new Float32Array(times * samples.length);
    for (let i = 0; i < times; i++) long.set(samples, i * samples.length);
    const partials: number[] = [];
    const heard = await recognizer.transcribe(long, {
      onPartial: (partial) => partials.push(partial.words.length),
    });
    expect(partials.length).toBeGreaterThanOrEqual(2);
    expect(partials).toEqual(partials.toSorted((a, b) => a - b));
    const said = Array.from({ length: times }, () => text).join(' ');
    expect(wordErrorRate([{ said, heard: heard.text }])).toBeLessThan(0.25);
    expect(heard.words.at(-1)?.end).toBeGreaterThan((long.length * 1000) / 16_000 - 3000);
  });
});

describe('the embedded recogniser hears nothing in', () => {
  it.each<[string, () => Float32Array<ArrayBuffer>]>([
    ['the noise of the fixtures', () => clipOf('noise.wav').samples],
    ['the silence of the fixtures', () => clipOf('silence.wav').samples],
    ['no samples', () => new Float32Array(0)],
    ['a tenth of a second', () => noise(1600)],
    ['nearly a tenth of a second', () => noise(1500)],
    ['digital silence', () => new Float32Array(32_000)],
    ['faint noise', () => noise(32_000).map((value) => 0.01 * value)],
    ['loud noise', () => noise(32_000)],
    ['mains hum', () => tone(50, 0.3)],
    ['a whistle', () => tone(1000, 0.5)],
    ['clipping', () => noise(32_000).map((value) => Math.sign(value))],
    [
      'a chord',
      () =>
        tone(220, 0.2).map((value, i) => value + 0.2 * Math.sin((2 * Math.PI * 277 * i) / 16_000)),
    ],
    ['hits on a table', () => noise(32_000).map((value, i) => value * Math.exp(-(i % 8000) / 300))],
  ])('%s', async (_what, samples) => {
    const heard = await recognizer.transcribe(samples());
    expect(heard).toMatchObject({ text: '', words: [] });
    expect(heard.confidence).toBeLessThan(0.4);
  });
});

describe('the embedded recogniser refuses', () => {
  it.each([
    ['NaN', Float32Array.of(0, Number.NaN)],
    ['infinity', new Float32Array(1600).fill(Number.POSITIVE_INFINITY)],
    ['a quarter of an hour', new Float32Array(900 * 16_000)],
  ])('%s', async (_what, samples) => {
    await expect(recognizer.transcribe(samples)).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  it.each([
    ['a folder that is not there', '/models/nothing'],
    ['a page', { ...modelFiles, config: 'data:text/html,<!doctype html><p>Not found' }],
    ['a page for a model', { ...modelFiles, model: 'data:text/html,<!doctype html><p>Hello' }],
    ['no model at all', { ...modelFiles, model: 'data:application/octet-stream,abcdefgh' }],
    ['a foreign vocabulary', { ...modelFiles, vocabulary: 'data:application/json,{"a":0}' }],
    ['a foreign word list', { ...modelFiles, languageModel: 'data:text/plain,hello' }],
  ])('%s, saying what to do, and may be asked again', async (_what, model) => {
    const other = ctcRecognizer({ model });
    const error = { code: 'model-load', hint: expect.stringMatching(/\w/) };
    await expect(other.load()).rejects.toMatchObject(error);
    await expect(other.transcribe(noise(16_000))).rejects.toMatchObject(error);
    await other.dispose();
  });

  it('to go on when told to stop, and to work when disposed', async () => {
    const { samples } = clipOf('domain-0.wav');
    const aborted = { code: 'aborted' };
    await expect(
      recognizer.transcribe(samples, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject(aborted);
    const controller = new AbortController();
    const running = recognizer.transcribe(samples, { signal: controller.signal });
    const queued = recognizer.transcribe(samples, { signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject(aborted);
    await expect(queued).rejects.toMatchObject(aborted);
    const gone = ctcRecognizer({ model: modelFiles });
    await gone.load();
    await gone.dispose();
    await expect(gone.transcribe(samples)).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

describe('the embedded recogniser', () => {
  it('tells how far its files have come, in bytes', () => {
    const last = new Map(progress.map((news) => [news.asset, news]));
    const model = last.get('model_quantized.onnx');
    expect(model?.loaded).toBeGreaterThan(1_000_000);
    expect(model?.loaded).toBe(model?.total);
    expect([...last.keys()].toSorted()).toEqual([
      'config.json',
      'language-model.bin',
      'model_quantized.onnx',
      'vocab.json',
    ]);
  });

  it('runs one utterance after another, whoever asks at once', async () => {
    const some = clips.slice(0, 4);
    const alone = [];
    for (const { samples } of some) alone.push(await recognizer.transcribe(samples));
    const settled: number[] = [];
    const together = await Promise.all(
      some.map(async ({ samples }, index) => {
        const heard = await recognizer.transcribe(samples);
        settled.push(index);
        return heard;
      }),
    );
    expect(together).toEqual(alone);
    expect(settled).toEqual([0, 1, 2, 3]);
  });

  it('understands in a stream about what it understands at once, however the audio is cut', async () => {
    const pairs = [];
    for (const { samples, kind } of clips) {
      if (kind !== 'domain' && kind !== 'digits') continue;
      const whole = await recognizer.transcribe(samples);
      const ends: string[] = [];
      for (const chunk of [512, 4801]) {
        const stream = recognizer.stream?.();
        if (stream === undefined) throw new Error('it does not stream');
        for (let at = 0; at < samples.length; at += chunk)
          stream.push(samples.subarray(at, at + chunk));
        ends.push((await stream.partial()).text);
        stream.close();
        await expect(stream.partial()).resolves.toMatchObject({ text: '' });
      }
      expect(ends[1]).toBe(ends[0]);
      pairs.push({ said: whole.text, heard: ends[0] ?? '' });
    }
    expect(wordErrorRate(pairs)).toBeLessThan(0.15);
  });

  it('gives interim results that grow into the final one', async () => {
    const { samples } = clipOf('domain-1.wav');
    const stream = recognizer.stream?.();
    const texts: string[] = [];
    for (let at = 0; at < samples.length; at += 4800) {
      stream?.push(samples.subarray(at, at + 4800));
      const partial = await stream?.partial();
      if (partial !== undefined && partial.text !== texts.at(-1)) texts.push(partial.text);
    }
    expect(texts.length).toBeGreaterThan(3);
    const lengths = texts.map((text) => text.length);
    expect(lengths.at(-1)).toBe(Math.max(...lengths));
    const whole = await recognizer.transcribe(samples);
    expect(wordErrorRate([{ said: whole.text, heard: texts.at(-1) ?? '' }])).toBeLessThan(0.3);
  });

  it('leaves nothing behind: the memory of the runtime is flat over 500 utterances', async () => {
    const speech = clipOf('domain-2.wav').samples;
    // ORT's memory can only grow by this call.
    const { grow } = WebAssembly.Memory.prototype;
    let grown = 0;
    WebAssembly.Memory.prototype.grow = function (this: WebAssembly.Memory, pages: number) {
      grown += pages;
      return grow.call(this, pages);
    };
    try {
      const lengths = Array.from({ length: 500 }, (_, i) => 3200 + ((i * 7919) % 12_800));
      await recognizer.transcribe(speech.slice(0, 16_000));
      for (const length of lengths.slice(0, 50))
        await recognizer.transcribe(speech.slice(0, length));
      const before = grown;
      for (const length of lengths) await recognizer.transcribe(speech.slice(0, length));
      expect(grown - before).toBe(0);
    } finally {
      WebAssembly.Memory.prototype.grow = grow;
    }
  });
});
