import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { SynthesizedSpeech, Synthesizer } from '../../../src/speech/tts/synthesizer.ts';
import { fliteSynthesizer, type FliteVoice } from '../../../src/speech/tts/flite.ts';
import { fliteUrl, levelDb, silences } from './flite-file.ts';

const text = (speech: SynthesizedSpeech): string => speech.marks.map((mark) => mark.text).join('');

function expectMarks(speech: SynthesizedSpeech, written: string): void {
  expect(text(speech)).toBe(written);
  let before = 0;
  for (const { offset } of speech.marks) {
    expect(Number.isInteger(offset)).toBe(true);
    expect(offset).toBeGreaterThanOrEqual(before);
    expect(offset).toBeLessThanOrEqual(speech.samples.length);
    before = offset;
  }
}

describe('the embedded voice', () => {
  let voice: Synthesizer;
  beforeAll(async () => {
    voice = fliteSynthesizer({ wasmUrl: fliteUrl });
    await voice.load();
  });

  it('speaks for about as long as a person would', async () => {
    const speech = await voice.synthesize('The museum opens at ten thirty and closes at six.');
    const seconds = speech.samples.length / speech.sampleRate;
    expect(speech.sampleRate).toBe(16_000);
    expect(seconds).toBeGreaterThan(2);
    expect(seconds).toBeLessThan(4.5);
    expect(speech.samples.every((sample) => Math.abs(sample) <= 1)).toBe(true);
    expect(levelDb(speech.samples)).toBeGreaterThan(-30);
  });

  it('has no silence around the speech that would delay it', async () => {
    const { samples, sampleRate } = await voice.synthesize('Good morning.');
    const first = samples.findIndex((sample) => Math.abs(sample) > 0.02);
    expect(first / sampleRate).toBeLessThan(0.08);
    const last = samples.findLastIndex((sample) => Math.abs(sample) > 0.02);
    expect((samples.length - last) / sampleRate).toBeLessThan(0.2);
  });

  it('says where each word is: sound in every word', async () => {
    const written = 'Dr. Smith has four big houses, one boat and 21 cats; is that not enough?';
    const speech = await voice.synthesize(written);
    expectMarks(speech, written);
    const { samples, marks, sampleRate } = speech;
    for (const [i, mark] of marks.entries()) {
      const end = marks[i + 1]?.offset ?? samples.length;
      expect(end - mark.offset, mark.text).toBeGreaterThan(0.02 * sampleRate);
      expect(levelDb(samples, mark.offset, end), mark.text).toBeGreaterThan(-40);
    }
  });

  it('keeps Markdown, emoji and other scripts in the marks, unsaid', async () => {
    const written = '  Well — **hello** 😀 [you](https://a.b)!\n\n你好 `x` ';
    const speech = await voice.synthesize(written);
    expectMarks(speech, written);
    const plain = await voice.synthesize('Well, hello you! x');
    const ratio = speech.samples.length / plain.samples.length;
    expect(ratio).toBeGreaterThan(0.85);
    expect(ratio).toBeLessThan(1.15);
  });

  it('is silent where there is nothing to say', async () => {
    for (const written of ['', ' ', '...', '😀 ', '***\n', '你好。', 'Привет', '\0\u0007']) {
      const speech = await voice.synthesize(written);
      expect(speech.samples).toHaveLength(0);
      expectMarks(speech, written);
    }
  });

  it('survives what no one would say', async () => {
    for (const written of [
      '-voice',
      '--help',
      '\'"`$(ls)',
      '\ud800 a',
      'a'.repeat(400),
      '1e999 0x1F -0',
      '%s %n %d',
    ])
      expectMarks(await voice.synthesize(written), written);
  });

  it('speaks a long text whole, word times throughout', async () => {
    const written = Array.from({ length: 60 }, (_, i) => `This is sentence number ${i}. `).join('');
    const speech = await voice.synthesize(written);
    expectMarks(speech, written);
    expect(speech.samples.length / speech.sampleRate).toBeGreaterThan(60);
  });

  it('stops a long text when it is told to', async () => {
    const controller = new AbortController();
    const long = 'This is a sentence. '.repeat(200);
    const speech = voice.synthesize(long, { signal: controller.signal });
    controller.abort();
    await expect(speech).rejects.toMatchObject({ code: 'aborted' });
  });

  it('goes on for hundreds of utterances, all alike', async () => {
    // Each utterance takes two instances of 17 MB; leaked ones would exhaust the address space.
    const first = await voice.synthesize('Yes.');
    for (let i = 0; i < 200; i += 1) {
      const { samples } = await voice.synthesize('Yes.');
      expect(samples.length).toBe(first.samples.length);
    }
  });
});

describe('every voice', () => {
  const voices: readonly FliteVoice[] = ['slt', 'rms', 'awb', 'kal16', 'kal'];
  for (const voice of voices)
    it(`says where each word is: behind each pause one begins (${voice})`, async () => {
      const synthesizer = fliteSynthesizer({ wasmUrl: fliteUrl, voice });
      await synthesizer.load();
      const written = 'Yes, tomorrow, at seven, she said; bring Bob, Ann, and me.';
      const speech = await synthesizer.synthesize(written);
      expectMarks(speech, written);
      expect(speech.sampleRate).toBe(voice === 'kal' ? 8_000 : 16_000);
      const { samples, marks, sampleRate } = speech;
      const gaps = silences(samples, sampleRate, 60, -50);
      expect(gaps.length).toBeGreaterThanOrEqual(4);
      for (const gap of gaps) {
        const nearest = Math.min(...marks.map((mark) => Math.abs(mark.offset - gap.to)));
        // A word that begins with a stop ("Bob") begins with silence of its own.
        expect((nearest * 1000) / sampleRate, `pause at ${gap.from}`).toBeLessThan(70);
      }
    });

  it('speak at other speeds', async () => {
    const seconds: number[] = [];
    for (const rate of [0.5, 1, 2]) {
      const synthesizer = fliteSynthesizer({ wasmUrl: fliteUrl, voice: 'kal16', rate });
      await synthesizer.load();
      const { samples, sampleRate } = await synthesizer.synthesize('One two three four five.');
      seconds.push(samples.length / sampleRate);
    }
    const [slow = 0, usual = 0, fast = 0] = seconds;
    expect(slow / usual).toBeGreaterThan(1.6);
    expect(usual / fast).toBeGreaterThan(1.6);
  });

  it('are refused when they do not exist', () => {
    const wrong = { wasmUrl: fliteUrl, voice: 'alloy' as FliteVoice };
    expect(() => fliteSynthesizer(wrong)).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
    for (const rate of [0, 3, Number.NaN])
      expect(() => fliteSynthesizer({ wasmUrl: fliteUrl, rate })).toThrow(
        expect.objectContaining({ code: 'invalid-argument' }),
      );
  });
});

describe('loading the voice', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('reports every byte, and loads once', async () => {
    const fetched = vi.spyOn(globalThis, 'fetch');
    const voice = fliteSynthesizer({ wasmUrl: fliteUrl });
    const progress: number[] = [];
    await Promise.all([voice.load(({ loaded }) => progress.push(loaded)), voice.load()]);
    await voice.load();
    expect(fetched).toHaveBeenCalledTimes(1);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(progress.at(-1)).toBeGreaterThan(20_000_000);
  });

  it('fails with what to do when the file is missing, a web page, or not the voice', async () => {
    const wasm = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    const answers: readonly Response[] = [
      new Response('gone', { status: 404 }),
      new Response('<!doctype html><title>App</title>', {
        headers: { 'content-type': 'text/html' },
      }),
      new Response(Uint8Array.of(1, 2, 3)),
      new Response(wasm),
      new Response(wasm.subarray(0, 6)),
    ];
    for (const answer of answers) {
      vi.spyOn(globalThis, 'fetch').mockResolvedValueOnce(answer);
      const failure = fliteSynthesizer({ wasmUrl: 'https://example.com/flite.wasm' }).load();
      await expect(failure).rejects.toMatchObject({
        code: 'model-load',
        hint: expect.stringMatching(/flite\.wasm|address/),
      });
    }
  });

  it('can be tried again after it failed', async () => {
    vi.spyOn(globalThis, 'fetch').mockResolvedValueOnce(new Response('', { status: 503 }));
    const voice = fliteSynthesizer({ wasmUrl: fliteUrl });
    await expect(voice.load()).rejects.toMatchObject({ code: 'model-load', retryable: true });
    await voice.load();
    expect((await voice.synthesize('Hi.')).samples.length).toBeGreaterThan(0);
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    const loading = fliteSynthesizer({ wasmUrl: fliteUrl }).load(
      () => controller.abort(),
      controller.signal,
    );
    await expect(loading).rejects.toMatchObject({ code: 'aborted' });
  });

  it('comes before speaking', async () => {
    const voice = fliteSynthesizer({ wasmUrl: fliteUrl });
    await expect(voice.synthesize('Hi.')).rejects.toMatchObject({ code: 'model-run' });
    await voice.load();
    await voice.dispose();
    await expect(voice.synthesize('Hi.')).rejects.toMatchObject({ code: 'model-run' });
  });
});
