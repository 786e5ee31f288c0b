import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ctcDecoder } from '../../../src/speech/stt/ctc-decoder.ts';
import { align } from '../../../src/speech/stt/ctc/alignment.ts';
import { readAlphabet } from '../../../src/speech/stt/ctc/alphabet.ts';
import { spokenWords } from '../../../src/speech/stt/ctc/spoken-words.ts';
import { alphabet, anyPosteriors, columns, columnsOf, peaky } from './logits.ts';

describe('an alignment', () => {
  it('finds each symbol where it was said', () => {
    const [a, t] = columnsOf('at') as [number, number];
    const path = [0, 0, a, a, 0, t, 0, t, t, 0];
    expect(align(peaky(path), columns, [a, t, t], 0)).toMatchObject([
      { symbol: a, start: 2, end: 4 },
      { symbol: t, start: 5, end: 6 },
      { symbol: t, start: 7, end: 9 },
    ]);
  });

  it('is empty for a spelling that does not fit into the frames', () => {
    expect(align(peaky([0, 0]), columns, columnsOf('tt'), 0)).toEqual([]);
    expect(align(new Float32Array(0), columns, columnsOf('a'), 0)).toEqual([]);
  });

  it('gives words with rising times inside the clip, whatever was heard', () => {
    const decoder = ctcDecoder(alphabet);
    fc.assert(
      fc.property(anyPosteriors, fc.nat(5000), (posteriors, startMs) => {
        decoder.reset();
        decoder.push(posteriors);
        const endMs = startMs + (posteriors.length / columns) * 40;
        const timing = { frameMs: 40, startMs, endMs };
        const heard = spokenWords(alphabet, posteriors, decoder.best(), timing);
        let last = startMs;
        for (const { start, end } of heard.words) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          last = end;
        }
        expect(last).toBeLessThanOrEqual(endMs);
        expect(heard.words.map((word) => word.text).join(' ')).toBe(heard.text);
        expect(heard.confidence).toBeGreaterThanOrEqual(0);
        expect(heard.confidence).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });

  it('is surer of what stands out', () => {
    const path = columnsOf('yes');
    const timing = { frameMs: 40 };
    const sure = spokenWords(alphabet, peaky(path, 12), path, timing).confidence;
    const unsure = spokenWords(alphabet, peaky(path, 4), path, timing).confidence;
    expect(sure).toBeGreaterThan(0.99);
    expect(unsure).toBeLessThan(sure - 0.2);
  });
});

describe('a vocabulary', () => {
  it('is read in Hugging Face names and in plain ones', () => {
    expect(readAlphabet({ '<pad>': 0, '|': 1, A: 2 })).toEqual({
      symbols: ['', ' ', 'a'],
      blank: 0,
      space: 1,
    });
    expect(readAlphabet({ a: 0, ' ': 1, _: 2 })).toMatchObject({ blank: 2, space: 1 });
    expect(readAlphabet({ '<s>': 0, '[PAD]': 1, '|': 2 }).symbols).toEqual(['', '', ' ']);
  });

  it.each([
    ['no blank', { a: 0, '|': 1 }],
    ['no word boundary', { '<pad>': 0, a: 1 }],
    ['a column twice', { '<pad>': 0, '|': 1, a: 1 }],
    ['a column out of range', { '<pad>': 0, '|': 5 }],
  ])('is refused with %s', (_what, vocabulary) => {
    expect(() => readAlphabet(vocabulary)).toThrow(expect.objectContaining({ code: 'model-load' }));
  });
});
