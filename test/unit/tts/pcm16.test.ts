import { describe, expect, it } from 'vitest';
import { AntiphonError } from '../../../src/core/errors.ts';
import { decodePcm16, decodeWavPcm16, isWav } from '../../../src/speech/tts/pcm16.ts';

interface Wav {
  readonly channels?: number;
  readonly bits?: number;
  readonly length?: number;
  readonly extra?: boolean;
}

/** A WAV file of the given samples; `length` is what its data chunk claims. */
function wav(samples: readonly number[], options: Wav = {}): Uint8Array<ArrayBuffer> {
  const { channels = 1, bits = 16, length = samples.length * 2, extra = false } = options;
  const ascii = (text: string): number[] => Array.from(text, (sign) => sign.charCodeAt(0));
  const u32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];
  const u16 = (value: number): number[] => [value & 255, (value >> 8) & 255];
  return Uint8Array.from([
    ...ascii('RIFF'),
    ...u32(36 + length),
    ...ascii('WAVEfmt '),
    ...u32(16),
    ...u16(1),
    ...u16(channels),
    ...u32(16_000),
    ...u32(16_000 * channels * 2),
    ...u16(channels * 2),
    ...u16(bits),
    ...(extra ? [...ascii('LIST'), ...u32(3), 1, 2, 3, 0] : []),
    ...ascii('data'),
    ...u32(length),
    ...samples.flatMap((sample) => u16(sample)),
  ]);
}

describe('16-bit PCM', () => {
  it('becomes floats between −1 and 1', () => {
    expect([...decodePcm16(Uint8Array.of(0, 128, 0, 0, 255, 127, 9))]).toEqual([
      -1,
      0,
      32767 / 32768,
    ]);
  });

  it('is read from a view that begins anywhere', () => {
    expect([...decodePcm16(Uint8Array.of(7, 0, 64).subarray(1))]).toEqual([0.5]);
  });
});

describe('a WAV file', () => {
  it('gives its samples and rate, other chunks skipped', () => {
    for (const extra of [false, true]) {
      const { samples, sampleRate } = decodeWavPcm16(wav([0, 16384, -16384], { extra }));
      expect([...samples]).toEqual([0, 0.5, -0.5]);
      expect(sampleRate).toBe(16_000);
    }
  });

  it('is mixed to mono', () => {
    expect([...decodeWavPcm16(wav([16384, 0, -16384, -16384], { channels: 2 })).samples]).toEqual([
      0.25, -0.5,
    ]);
  });

  it('may claim a wrong length, as streamed files do', () => {
    for (const length of [0, 0xffffffff, 100])
      expect(decodeWavPcm16(wav([1, 2, 3], { length })).samples).toHaveLength(3);
  });

  it('is refused when it is something else', () => {
    const others = [
      new Uint8Array(0),
      new TextEncoder().encode('<!doctype html><title>404</title>'),
      wav([1], { bits: 8 }),
      wav([]).subarray(0, 36),
      wav([], { channels: 0 }),
    ];
    for (const bytes of others) {
      let thrown: unknown;
      try {
        decodeWavPcm16(bytes);
      } catch (error) {
        thrown = error;
      }
      expect(AntiphonError.is(thrown, 'model-run')).toBe(true);
    }
  });

  it('is told from other bytes', () => {
    expect(isWav(wav([]))).toBe(true);
    expect(isWav(new Uint8Array(20))).toBe(false);
  });
});
