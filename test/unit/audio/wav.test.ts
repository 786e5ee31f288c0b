import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeWav, encodeWav } from '../../../src/audio/wav.ts';
import { AntiphonError } from '../../../src/core/errors.ts';

interface Layout {
  readonly tag: number;
  readonly bits: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly extensible?: boolean;
}

/** A WAV file around raw sample bytes, with a chunk of odd length before the sound. */
function wav(
  { tag, bits, channels = 1, rate = 16_000, extensible = false }: Layout,
  data: number[],
) {
  const bytes: number[] = [];
  const text = (value: string) => bytes.push(...Array.from(value, (c) => c.charCodeAt(0)));
  const u16 = (value: number) => bytes.push(value & 255, (value >> 8) & 255);
  const u32 = (value: number) => (u16(value & 0xffff), u16(value >>> 16));
  text('RIFF');
  u32(0);
  text('WAVEfmt ');
  u32(extensible ? 40 : 16);
  u16(extensible ? 0xfffe : tag);
  u16(channels);
  u32(rate);
  u32((rate * channels * bits) / 8);
  u16((channels * bits) / 8);
  u16(bits);
  if (extensible) {
    u16(22);
    u16(bits);
    u32(4);
    u16(tag);
    bytes.push(0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, 113);
  }
  text('LIST');
  u32(3);
  bytes.push(1, 2, 3, 0);
  text('data');
  u32(data.length);
  bytes.push(...data);
  return Uint8Array.from(bytes);
}

const floats = (...values: number[]) => [...new Uint8Array(Float32Array.from(values).buffer)];
const doubles = (...values: number[]) => [...new Uint8Array(Float64Array.from(values).buffer)];

function failure(file: Uint8Array): AntiphonError {
  try {
    decodeWav(file);
  } catch (error) {
    if (AntiphonError.is(error, 'audio-format')) return error;
    throw error;
  }
  throw new Error('It was decoded.');
}

describe('decodeWav', () => {
  it.each<[string, Layout, number[], number[]]>([
    ['8-bit', { tag: 1, bits: 8 }, [0, 128, 192], [-1, 0, 0.5]],
    ['16-bit', { tag: 1, bits: 16 }, [0, 0x80, 0, 0, 0, 0x40], [-1, 0, 0.5]],
    ['24-bit', { tag: 1, bits: 24 }, [0, 0, 0x80, 0, 0, 0, 0, 0, 0x40], [-1, 0, 0.5]],
    ['32-bit', { tag: 1, bits: 32 }, [0, 0, 0, 0x80, 0, 0, 0, 0x40], [-1, 0.5]],
    ['float', { tag: 3, bits: 32 }, floats(-1, 0.25, 0.5), [-1, 0.25, 0.5]],
    ['double', { tag: 3, bits: 64 }, doubles(-1, 0.25), [-1, 0.25]],
    ['extensible', { tag: 1, bits: 16, extensible: true }, [0, 0x80, 0, 0x40], [-1, 0.5]],
    ['extensible float', { tag: 3, bits: 32, extensible: true }, floats(0.5), [0.5]],
    ['stereo', { tag: 3, bits: 32, channels: 2 }, floats(1, 0, 0.5, -0.5), [0.5, 0]],
  ])('reads %s', (_name, layout, data, expected) => {
    expect([...decodeWav(wav(layout, data)).samples]).toEqual(expected);
  });

  it('keeps the rate, 96 kHz too', () => {
    expect(decodeWav(wav({ tag: 1, bits: 16, rate: 96_000 }, [0, 0])).sampleRate).toBe(96_000);
  });

  it('reads a view into a larger buffer', () => {
    const file = wav({ tag: 3, bits: 32 }, floats(0.5));
    const larger = new Uint8Array(file.length + 7);
    larger.set(file, 5);
    expect([...decodeWav(larger.subarray(5, 5 + file.length)).samples]).toEqual([0.5]);
  });

  it('reads to the end where a streaming writer left the length open', () => {
    const file = wav({ tag: 1, bits: 16 }, [0, 0x40, 0, 0x40]);
    file.fill(0xff, file.length - 8, file.length - 4);
    expect(decodeWav(file).samples.length).toBe(2);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /empty/],
    ['a file that is no WAV', new TextEncoder().encode('<!doctype html><html>'), /no WAV.*doctype/],
    ['a file cut off in the header', wav({ tag: 1, bits: 16 }, [0, 0]).subarray(0, 24), /cut off/],
    ['a file cut off before the sound', wav({ tag: 1, bits: 16 }, []).subarray(0, 40), /cut off/],
    [
      'a file cut off in the sound',
      wav({ tag: 1, bits: 16 }, [0, 0, 0, 0]).subarray(0, -2),
      /2 of 4/,
    ],
    ['a file without sound', wav({ tag: 1, bits: 16 }, []), /no sound/],
    ['a compressed file', wav({ tag: 85, bits: 16 }, [0, 0]), /compressed \(MP3\)/],
    ['an impossible depth', wav({ tag: 1, bits: 12 }, [0, 0]), /12 bits/],
    ['no channels', wav({ tag: 1, bits: 16, channels: 0 }, [0, 0]), /0 channels/],
  ])('refuses %s and says what to do', (_name, file, message) => {
    const error = failure(file);
    expect(error.message).toMatch(message);
    expect(error.hint).not.toBe('');
  });

  it('fails with nothing but its own error, whatever the bytes', () => {
    const valid = wav({ tag: 1, bits: 16 }, [1, 2, 3, 4, 5, 6, 7, 8]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(valid.length),
        (edits, length) => {
          const file = valid.slice(0, length);
          for (const [at, value] of edits) if (at < length) file[at] = value;
          try {
            const { samples, sampleRate } = decodeWav(file);
            expect(samples.length).toBeGreaterThan(0);
            expect(sampleRate).toBeGreaterThan(0);
          } catch (error) {
            if (!AntiphonError.is(error, 'audio-format')) throw error;
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('encodeWav', () => {
  it('writes what decodeWav reads, to half a step of 16 bits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 1 }),
        (values) => {
          const { samples, sampleRate } = decodeWav(encodeWav(Float32Array.from(values), 22_050));
          expect(sampleRate).toBe(22_050);
          samples.forEach((sample, i) =>
            expect(Math.abs(sample - (values[i] ?? 9))).toBeLessThanOrEqual(1 / 32_768),
          );
        },
      ),
    );
  });

  it('clips what is too loud', () => {
    const { samples } = decodeWav(encodeWav(Float32Array.of(2, -2), 16_000));
    expect([...samples]).toEqual([32_767 / 32_768, -1]);
  });
});
