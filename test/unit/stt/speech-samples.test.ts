import { describe, expect, it } from 'vitest';
import { checkSpeech, cutAtPauses, isAudible } from '../../../src/speech/stt/speech-samples.ts';
import { wordErrorRate, wordErrors } from '../../../src/speech/stt/word-error-rate.ts';

const rate = 16_000;
const loud = (seconds: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: seconds * rate }, (_, i) => 0.3 * Math.sin(i / 7));

describe('samples of speech', () => {
  it.each([
    ['no array', 'speech'],
    ['16-bit PCM', new Int16Array(1600)],
    ['NaN', Float32Array.of(0, Number.NaN)],
    ['infinity', Float32Array.of(Number.NEGATIVE_INFINITY)],
    ['an hour', new Float32Array(3600 * rate)],
  ])('are refused when they are %s', (_what, samples) => {
    expect(() => checkSpeech(samples)).toThrow(
      expect.objectContaining({ code: 'invalid-argument', hint: expect.stringMatching(/./) }),
    );
  });

  it('are audible when long and loud enough for a word', () => {
    expect(isAudible(loud(1))).toBe(true);
    expect(isAudible(loud(0.05))).toBe(false);
    expect(isAudible(new Float32Array(rate))).toBe(false);
  });

  it('stay whole up to 20 s, and are cut at the quietest moment beyond', () => {
    expect(cutAtPauses(loud(20))).toEqual([{ start: 0, end: 20 * rate }]);
    const long = loud(50);
    long.fill(0, 15 * rate, 15.4 * rate);
    long.fill(0, 33 * rate, 33.4 * rate);
    const stretches = cutAtPauses(long);
    expect(stretches).toHaveLength(3);
    expect(stretches[0]?.end).toBeGreaterThan(15 * rate);
    expect(stretches[0]?.end).toBeLessThan(15.4 * rate);
    expect(stretches[1]?.end).toBeGreaterThan(33 * rate);
    expect(stretches[1]?.end).toBeLessThan(33.4 * rate);
    expect(stretches[2]?.end).toBe(long.length);
    expect(stretches.map(({ start }) => start).slice(1)).toEqual(
      stretches.map(({ end }) => end).slice(0, -1),
    );
  });
});

describe('the word error rate', () => {
  it('counts substitutions, deletions and insertions, not case or punctuation', () => {
    expect(wordErrors("What's the time?", "what's the time")).toEqual({ errors: 0, words: 3 });
    expect(wordErrors('one two three', 'one too three four')).toEqual({ errors: 2, words: 3 });
    expect(wordErrors('one two three', '')).toEqual({ errors: 3, words: 3 });
    expect(wordErrors('', 'noise')).toEqual({ errors: 1, words: 0 });
  });

  it('weighs pairs by their words', () => {
    const pairs = [
      { said: 'a b c d', heard: 'a b c d' },
      { said: 'e', heard: 'f' },
    ];
    expect(wordErrorRate(pairs)).toBeCloseTo(0.2);
  });
});
