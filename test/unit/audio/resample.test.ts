import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resample, Resampler } from '../../../src/audio/resample.ts';

const sine = (hertz: number, rate: number, seconds: number, amplitude = 0.5) =>
  Float32Array.from(
    { length: Math.round(rate * seconds) },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hertz * i) / rate),
  );

const rms = (samples: Float32Array) =>
  Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);

/** Without the ends, where the filter meets the silence around the recording. */
const middle = (samples: Float32Array) =>
  samples.subarray(Math.floor(samples.length / 4), Math.floor((samples.length * 3) / 4));

const decibels = (ratio: number) => 20 * Math.log10(ratio);

describe('resample', () => {
  it.each([
    [48_000, 16_000, 1_000],
    [44_100, 16_000, 7_000],
    [96_000, 16_000, 3_000],
    [8_000, 16_000, 3_500],
    [16_000, 44_100, 5_000],
    [16_000, 48_000, 7_000],
    [22_050, 48_000, 9_000],
    [44_101, 16_000, 6_000],
    [11_025, 96_000, 4_000],
  ])('turns a sine at %i Hz into the same sine at %i Hz (%i Hz tone)', (from, to, hertz) => {
    const output = resample(sine(hertz, from, 0.5), from, to);
    const expected = sine(hertz, to, 0.5);
    const error = output.map((sample, i) => sample - (expected[i] ?? 0));
    expect(decibels(rms(middle(error)) / rms(middle(expected)))).toBeLessThan(-60);
  });

  it.each([
    [48_000, 16_000, 8_100],
    [48_000, 16_000, 9_000],
    [48_000, 16_000, 15_000],
    [48_000, 16_000, 23_000],
    [44_100, 16_000, 8_050],
    [44_100, 16_000, 12_345],
    [96_000, 16_000, 40_000],
    [44_101, 16_000, 10_000],
    [48_000, 44_100, 22_500],
  ])('keeps an alias out by 60 dB: %i Hz to %i Hz, %i Hz tone', (from, to, hertz) => {
    const input = sine(hertz, from, 0.5);
    expect(decibels(rms(middle(resample(input, from, to))) / rms(input))).toBeLessThan(-60);
  });

  it.each([
    [8_000, 16_000, 3_000],
    [16_000, 48_000, 5_000],
  ])('adds no image above the old Nyquist frequency: %i Hz to %i Hz', (from, to, hertz) => {
    const output = resample(sine(hertz, from, 1), from, to);
    const image = from - hertz;
    const part = middle(output);
    let cos = 0;
    let sin = 0;
    part.forEach((sample, i) => {
      cos += sample * Math.cos((2 * Math.PI * image * i) / to);
      sin += sample * Math.sin((2 * Math.PI * image * i) / to);
    });
    const amplitude = (2 * Math.hypot(cos, sin)) / part.length;
    expect(decibels(amplitude / 0.5)).toBeLessThan(-60);
  });

  it('leaves a stream alone whose rate is already right', () => {
    const input = sine(440, 16_000, 0.1);
    expect(resample(input, 16_000, 16_000)).toEqual(input);
  });

  it('passes a constant unchanged', () => {
    const output = resample(new Float32Array(44_100).fill(0.25), 44_100, 16_000);
    for (const sample of middle(output)) expect(sample).toBeCloseTo(0.25, 6);
  });

  it('gives the same samples however the input is cut, and exactly ⌈n · out / in⌉ of them', () => {
    const rates = fc.constantFrom(8_000, 11_025, 16_000, 22_050, 44_100, 44_101, 48_000, 96_000);
    fc.assert(
      fc.property(
        rates,
        rates,
        fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 12 }),
        (from, to, chunks) => {
          const total = chunks.reduce((sum, length) => sum + length, 0);
          const input = Float32Array.from({ length: total }, (_, i) => Math.sin(i * i * 0.001));
          const whole = resample(input, from, to);
          expect(whole.length).toBe(Math.ceil((total * to) / from));
          const resampler = new Resampler(from, to);
          const pieces = new Float32Array(whole.length);
          let read = 0;
          let written = 0;
          for (const length of chunks) {
            const output = new Float32Array(resampler.maxOutput(length));
            const count = resampler.process(input.subarray(read, read + length), output);
            expect(count).toBeLessThanOrEqual(output.length);
            pieces.set(output.subarray(0, count), written);
            read += length;
            written += count;
          }
          const rest = new Float32Array(resampler.maxOutput(resampler.latency));
          const count = resampler.flush(rest);
          pieces.set(rest.subarray(0, count), written);
          expect(written + count).toBe(whole.length);
          expect(pieces).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('starts afresh after a flush', () => {
    const resampler = new Resampler(48_000, 16_000);
    const input = sine(300, 48_000, 0.05);
    const run = () => {
      const output = new Float32Array(resampler.maxOutput(input.length) * 2);
      const count = resampler.process(input, output);
      return output.slice(0, count + resampler.flush(output.subarray(count)));
    };
    const first = run();
    expect(run()).toEqual(first);
  });

  it('keeps the exact count over ten minutes of quanta', () => {
    const resampler = new Resampler(44_100, 16_000);
    const quantum = new Float32Array(128);
    const output = new Float32Array(resampler.maxOutput(128));
    const quanta = Math.ceil((600 * 44_100) / 128);
    let count = 0;
    for (let i = 0; i < quanta; i++) count += resampler.process(quantum, output);
    const rest = new Float32Array(resampler.maxOutput(resampler.latency));
    expect(count + resampler.flush(rest)).toBe(Math.ceil((quanta * 128 * 16_000) / 44_100));
  }, 60_000);

  it('refuses a rate that is none', () => {
    expect(() => new Resampler(0, 16_000)).toThrow(RangeError);
    expect(() => new Resampler(44_100.5, 16_000)).toThrow(RangeError);
  });
});
