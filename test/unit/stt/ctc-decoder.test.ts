import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gunzip } from '../../../src/speech/gunzip.ts';
import { type CtcDecoder, ctcDecoder } from '../../../src/speech/stt/ctc-decoder.ts';
import { spell } from '../../../src/speech/stt/ctc/alphabet.ts';
import { logAdd, logSoftmax } from '../../../src/speech/stt/ctc/log-softmax.ts';
import { readWordModel } from '../../../src/speech/stt/ctc/word-model.ts';
import { alphabet, anyPath, anyPosteriors, columns, columnsOf, peaky } from './logits.ts';
import { type Contents, ngramBytes } from './ngram-bytes.ts';

/** Words a, at, cat, sat, the and some rare ones; "the cat" and "cat sat" are common, more so "the cat sat". */
const contents: Contents = {
  words: [
    { text: '<s>', cost: 255, backoff: 0, followers: [{ word: 2, cost: 10 }] },
    { text: '</s>', cost: 100, backoff: 0 },
    {
      text: 'the',
      cost: 50,
      backoff: -10,
      followers: [{ word: 3, cost: 20, backoff: -30, followers: [{ word: 4, cost: 7 }] }],
    },
    { text: 'cat', cost: 150, backoff: -20, followers: [{ word: 4, cost: 20 }] },
    { text: 'sat', cost: 200, backoff: -20 },
    { text: 'at', cost: 200, backoff: -20 },
    { text: 'a', cost: 220, backoff: -20 },
  ],
  rare: [
    { text: 'catkin', cost: 240 },
    { text: 'catnap', cost: 241 },
    { text: 'dog', cost: 242 },
  ],
  header: { decoder: { alpha: 0.8, beta: 1 } },
};
const modelBytes = ngramBytes(contents);
const languageModel = readWordModel(modelBytes, alphabet);

function decode(decoder: CtcDecoder, posteriors: Float32Array): string {
  decoder.reset();
  decoder.push(posteriors);
  return spell(alphabet, decoder.best());
}

/** Adds up every alignment of every text: what the prefix beam search approximates. */
function exhaustive(posteriors: Float32Array, few: readonly number[]): Map<string, number> {
  const totals = new Map<string, number>();
  const frames = posteriors.length / columns;
  const walk = (frame: number, text: string, last: number, score: number): void => {
    if (frame === frames) {
      totals.set(text, logAdd(totals.get(text) ?? -Infinity, score));
      return;
    }
    for (const symbol of few) {
      const grows = symbol !== alphabet.blank && symbol !== last;
      const next = grows ? text + (alphabet.symbols[symbol] ?? '') : text;
      walk(frame + 1, next, symbol, score + (posteriors[frame * columns + symbol] ?? 0));
    }
  };
  walk(0, '', -1, 0);
  return totals;
}

describe('a CTC decoder', () => {
  it('collapses repeats and keeps those a blank separates', () => {
    const [h, e, l, o] = columnsOf('helo') as [number, number, number, number];
    const path = [0, h, h, 0, e, l, l, 0, l, o, o, 0];
    for (const method of ['greedy', 'beam'] as const)
      expect(decode(ctcDecoder(alphabet, { method }), peaky(path))).toBe('hello');
  });

  it('agrees with the best path where the model is sure, with a beam of one', () => {
    const greedy = ctcDecoder(alphabet, { method: 'greedy' });
    const beam = ctcDecoder(alphabet, { beamWidth: 1 });
    fc.assert(
      fc.property(anyPath, (path) => {
        const posteriors = peaky(path, 20);
        // Only the beam refuses a second space in a row; collapsed, both spell the same.
        expect(decode(beam, posteriors)).toBe(decode(greedy, posteriors));
      }),
    );
  });

  it('finds the text whose alignments weigh most together, not the best single path', () => {
    const few = [alphabet.blank, ...columnsOf('ab')];
    const decoder = ctcDecoder(alphabet, { beamWidth: 64, symbolRange: 50 });
    const logit = fc.float({ min: -2, max: 2, noNaN: true });
    const row = fc.tuple(logit, logit, logit);
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), (rows) => {
        const logits = new Float32Array(rows.length * columns).fill(-40);
        for (const [frame, values] of rows.entries())
          for (const [i, value] of values.entries())
            logits[frame * columns + (few[i] ?? 0)] = value;
        const posteriors = logSoftmax(logits, columns);
        const totals = exhaustive(posteriors, few);
        const heard = decode(decoder, posteriors);
        expect(totals.get(heard)).toBeCloseTo(Math.max(...totals.values()), 4);
      }),
      { numRuns: 40 },
    );
  });

  it('gives the same however its input is cut, with and without words', () => {
    for (const options of [{ method: 'greedy' }, {}, { languageModel }] as const) {
      const whole = ctcDecoder(alphabet, options);
      const cut = ctcDecoder(alphabet, options);
      fc.assert(
        fc.property(anyPosteriors, fc.integer({ min: 1, max: 7 }), (posteriors, frames) => {
          whole.reset();
          whole.push(posteriors);
          cut.reset();
          for (let at = 0; at < posteriors.length; at += frames * columns)
            cut.push(posteriors.subarray(at, at + frames * columns));
          expect(cut.best()).toEqual(whole.best());
        }),
        { numRuns: 30 },
      );
    }
  });

  it('takes frames back as if they had never come', () => {
    for (const options of [{ method: 'greedy' }, {}, { languageModel }] as const) {
      const straight = ctcDecoder(alphabet, options);
      const hesitant = ctcDecoder(alphabet, options);
      fc.assert(
        fc.property(anyPosteriors, anyPosteriors, anyPosteriors, (first, trial, rest) => {
          straight.reset();
          straight.push(first);
          straight.push(rest);
          hesitant.reset();
          hesitant.push(first);
          hesitant.mark();
          hesitant.push(trial);
          hesitant.rewind();
          hesitant.push(rest);
          expect(hesitant.best()).toEqual(straight.best());
        }),
        { numRuns: 30 },
      );
    }
  });

  it('lets words decide what sounds leave open', () => {
    const [c, k, a, t] = columnsOf('ckat') as [number, number, number, number];
    const logits = new Float32Array(4 * columns).fill(-10);
    logits[c] = 1;
    logits[k] = 1.3;
    logits[columns + a] = 5;
    logits[2 * columns + t] = 5;
    logits[3 * columns] = 5;
    const posteriors = logSoftmax(logits, columns);
    expect(decode(ctcDecoder(alphabet), posteriors)).toBe('kat');
    expect(decode(ctcDecoder(alphabet, { languageModel }), posteriors)).toBe('cat');
  });

  it('still spells words it does not know when the sounds are clear', () => {
    const posteriors = peaky(columnsOf('the zebra sat'), 15);
    expect(decode(ctcDecoder(alphabet, { languageModel }), posteriors)).toBe('the zebra sat');
  });

  it('says nothing for blanks and for no frames at all', () => {
    const decoder = ctcDecoder(alphabet, { languageModel });
    expect(decode(decoder, peaky([0, 0, 0, 0]))).toBe('');
    expect(decode(decoder, new Float32Array(0))).toBe('');
  });
});

describe('a language model file', () => {
  const ln = (cost: number): number => cost * -0.01 * Math.LN10;
  const [the, cat, sat, at] = [2, 3, 4, 5];
  const node = (letters: string): number =>
    columnsOf(letters).reduce((from, symbol) => languageModel.follow(from, symbol), 0);

  it('gives n-grams where listed and backs off where not', () => {
    expect(languageModel.score(the, cat)).toBeCloseTo(ln(20), 5);
    expect(languageModel.score(the, sat)).toBeCloseTo(ln(10 + 200), 5);
    expect(languageModel.score(-1, sat)).toBeCloseTo(ln(200), 5);
    expect(languageModel.score(languageModel.start, the)).toBeCloseTo(ln(10), 5);
    expect(languageModel.end(sat)).toBeCloseTo(ln(20 + 100), 5);
    const theCat = languageModel.after(the, cat);
    expect(languageModel.score(theCat, sat)).toBeCloseTo(ln(7), 5);
    expect(languageModel.score(theCat, at)).toBeCloseTo(ln(30 + 20 + 200), 5);
    const catSat = languageModel.after(theCat, sat);
    expect(languageModel.score(catSat, at)).toBeCloseTo(ln(20 + 200), 5);
    expect(languageModel.after(catSat, -1)).toBe(-1);
    expect(languageModel.after(-1, cat)).toBe(cat);
  });

  it('spells its rare words in full', () => {
    expect(languageModel.wordAt(node('catnap'))).toBe(8);
    expect(languageModel.score(cat, 9)).toBeCloseTo(ln(20 + 242), 5);
    expect(node('catn')).toBeGreaterThan(0);
    expect(languageModel.wordAt(node('catn'))).toBe(-1);
  });

  it('knows the likeliest word that letters may become', () => {
    expect(languageModel.ahead(node('c'))).toBeCloseTo(ln(150), 5);
    expect(languageModel.ahead(node('catn'))).toBeCloseTo(ln(241), 5);
  });

  it('brings its own search settings', () => {
    expect(languageModel.settings).toEqual({ languageModelWeight: 0.8, wordBonus: 1 });
  });

  it.each<[string, Uint8Array]>([
    ['is a page', new TextEncoder().encode('<!doctype html>')],
    ['is of another format', ngramBytes({ ...contents, header: { format: 'arpa' } })],
    ['is cut off', modelBytes.slice(0, -1)],
    ['goes on for too long', Uint8Array.of(...modelBytes, 0)],
    ['has fewer bigrams than announced', ngramBytes({ ...contents, header: { bigrams: 4 } })],
    ['has more words than announced', ngramBytes({ ...contents, header: { words: 9 } })],
    ['says nothing of its scale', ngramBytes({ ...contents, header: { scale: 'small' } })],
  ])('is refused when it %s', (_what, bytes) => {
    expect(() => readWordModel(bytes, alphabet)).toThrow(
      expect.objectContaining({
        code: 'model-load',
        hint: expect.stringContaining('antiphon-trigram-1'),
      }),
    );
  });

  it('may be packed, and says so when it is damaged', async () => {
    const packing = new Blob([modelBytes]).stream().pipeThrough(new CompressionStream('gzip'));
    const packed = new Uint8Array(await new Response(packing).arrayBuffer());
    expect(await gunzip(packed, 'words')).toEqual(modelBytes);
    expect(await gunzip(modelBytes, 'words')).toBe(modelBytes);
    await expect(gunzip(packed.slice(0, 40), 'words')).rejects.toMatchObject({
      code: 'model-load',
      hint: expect.stringContaining('again'),
    });
  });
});
