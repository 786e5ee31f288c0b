import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateMarks, trimSilence } from '../../../src/speech/tts/estimate-marks.ts';
import { speakable } from '../../../src/speech/tts/speakable.ts';

const rate = 1000;

/** Tone (true) and silence (false) for so many milliseconds each, at 1 000 Hz. */
function audio(
  ...parts: readonly (readonly [sound: boolean, ms: number])[]
): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    parts.flatMap(([sound, ms]) =>
      Array.from({ length: ms }, (_, i) => (sound ? 0.3 * (i % 2 === 0 ? 1 : -1) : 0)),
    ),
  );
}

describe('estimated word times', () => {
  it('share steady speech out by the length of the words', () => {
    const marks = estimateMarks(speakable('banana banana banana'), audio([true, 900]), rate);
    expect(marks.map((mark) => mark.offset)).toEqual([0, 300, 600]);
  });

  it('follow a pause where the punctuation says so', () => {
    const speech = audio([true, 400], [false, 200], [true, 300]);
    const marks = estimateMarks(speakable('banana, banana banana'), speech, rate);
    expect(marks[1]?.offset).toBe(600);
    expect(marks[2]?.offset).toBe(750);
  });

  it('put silent words where the word before them ends', () => {
    const marks = estimateMarks(speakable('banana 😀 banana 😀'), audio([true, 600]), rate);
    expect(marks.map((mark) => mark.offset)).toEqual([0, 300, 300, 600]);
  });

  it('are inside, in order and complete, whatever was said', () => {
    const sounds = fc.array(fc.tuple(fc.boolean(), fc.nat(300)), { maxLength: 12 });
    const text = fc
      .array(fc.constantFrom('word, ', 'a ', '😀 ', '12 ', 'NASA. ', '\n'))
      .map((w) => w.join(''));
    fc.assert(
      fc.property(text, sounds, (text, parts) => {
        const samples = audio(...parts);
        const marks = estimateMarks(speakable(text), samples, rate);
        expect(marks.map((mark) => mark.text).join('')).toBe(text);
        let before = 0;
        for (const { offset } of marks) {
          expect(Number.isInteger(offset) && offset >= before && offset <= samples.length).toBe(
            true,
          );
          before = offset;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('silence around speech', () => {
  it('is trimmed to 20 ms in front and 60 ms behind', () => {
    const trimmed = trimSilence(audio([false, 300], [true, 500], [false, 400]), rate);
    expect(trimmed.length).toBe(580);
    expect(trimmed[19]).toBe(0);
    expect(trimmed[20]).not.toBe(0);
  });

  it('is all there is to some answers', () => {
    expect(trimSilence(audio([false, 300]), rate)).toHaveLength(0);
    expect(trimSilence(new Float32Array(0), rate)).toHaveLength(0);
  });
});
