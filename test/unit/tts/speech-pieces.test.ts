import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpeechPieces } from '../../../src/stages/streaming/speech-pieces.ts';
import { characterVoice, voiceRate } from './character-voice.ts';

const facts = { turn: 2, at: 7, source: 'tts' };
const voice = characterVoice();

describe('pieces of speech', () => {
  it('end where words end', async () => {
    const speech = await voice.synthesize('one two three four');
    const pieces = new SpeechPieces(undefined, 90).cut(speech, facts);
    expect(pieces.map((piece) => piece.text)).toEqual(['one two ', 'three ', 'four']);
    expect(pieces.map((piece) => piece.samples.length)).toEqual([80, 60, 40]);
    expect(pieces[0]?.marks).toEqual([
      { text: 'one ', offset: 0 },
      { text: 'two ', offset: 40 },
    ]);
    expect(pieces[0]).toMatchObject({ ...facts, last: false, sampleRate: voiceRate });
  });

  it('spread a long word, whose text comes with its end', async () => {
    const speech = await voice.synthesize('so extraordinarily');
    const pieces = new SpeechPieces(undefined, 50).cut(speech, facts);
    expect(pieces.map((piece) => piece.text)).toEqual(['so ', '', '', 'extraordinarily']);
    expect(pieces.every((piece) => piece.samples.length <= 50)).toBe(true);
  });

  it('begin with the silence asked for, except for silent text', async () => {
    const pieces = new SpeechPieces(undefined, 1000);
    const [piece] = pieces.cut(await voice.synthesize('one two'), facts, 30);
    expect(piece?.samples.length).toBe(100);
    expect([...(piece?.samples.subarray(0, 30) ?? [1])].every((sample) => sample === 0)).toBe(true);
    expect(piece?.marks?.map((mark) => mark.offset)).toEqual([30, 70]);
    const silent = {
      samples: new Float32Array(0),
      sampleRate: 1000,
      marks: [{ text: '😀 ', offset: 0 }],
    };
    expect(pieces.cut(silent, facts, 30)).toMatchObject([
      { text: '😀 ', samples: new Float32Array(0) },
    ]);
  });

  it('are resampled to the last sample, one filter for all sentences', async () => {
    const pieces = new SpeechPieces(2500, 100);
    for (let round = 0; round < 3; round += 1) {
      const cut = pieces.cut(await voice.synthesize('one two three four'), facts);
      expect(cut.reduce((sum, piece) => sum + piece.samples.length, 0)).toBe(450);
      expect(cut.map((piece) => piece.text).join('')).toBe('one two three four');
      expect(Math.max(...cut.map((piece) => piece.samples.length))).toBeLessThanOrEqual(250);
    }
  });

  it('hold all samples, all text and marks inside, whatever the speech', () => {
    const speech = fc
      .tuple(fc.integer({ min: 0, max: 400 }), fc.array(fc.nat(400), { maxLength: 12 }))
      .map(([length, offsets]) => ({
        samples: Float32Array.from({ length }, (_, i) => i + 1),
        sampleRate: 1000,
        marks: offsets
          .map((offset) => Math.min(offset, length))
          .toSorted((a, b) => a - b)
          .map((offset, i) => ({ text: `w${i} `, offset })),
      }));
    fc.assert(
      fc.property(speech, fc.integer({ min: 1, max: 120 }), (speech, maxMs) => {
        const pieces = new SpeechPieces(undefined, maxMs).cut(speech, facts);
        expect(pieces.flatMap((piece) => [...piece.samples])).toEqual([...speech.samples]);
        expect(pieces.map((piece) => piece.text).join('')).toBe(
          speech.marks.map((mark) => mark.text).join(''),
        );
        for (const piece of pieces) {
          expect(piece.samples.length).toBeLessThanOrEqual(maxMs);
          expect(piece.marks?.map((mark) => mark.text).join('')).toBe(piece.text);
          for (const mark of piece.marks ?? [])
            expect(mark.offset <= piece.samples.length && mark.offset >= 0).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
