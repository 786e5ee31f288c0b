import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaptureFramer, frameLength } from '../../../src/audio/capture-framer.ts';
import { resample } from '../../../src/audio/resample.ts';

const ramp = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i / 30) / 2);

function pushAll(framer: CaptureFramer, samples: Float32Array, quantum = 128): void {
  for (let at = 0; at < samples.length; at += quantum)
    framer.push(samples.subarray(at, at + quantum));
}

function takeAll(framer: CaptureFramer): Float32Array[] {
  const frames: Float32Array[] = [];
  for (let frame = framer.shift(); frame; frame = framer.shift()) frames.push(frame);
  framer.refill();
  return frames;
}

describe('CaptureFramer', () => {
  it('cuts quanta of any size into the frames of the resampled stream, none missing', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(16_000, 44_100, 48_000, 96_000),
        fc.integer({ min: 1, max: 600 }),
        (rate, quantum) => {
          const input = ramp(rate);
          const framer = new CaptureFramer(rate);
          const frames: Float32Array[] = [];
          for (let at = 0; at < input.length; at += quantum) {
            framer.push(input.subarray(at, at + quantum));
            frames.push(...takeAll(framer));
          }
          const expected = resample(input, rate, 16_000);
          expect(frames.length).toBeGreaterThanOrEqual(30);
          frames.forEach((frame, i) =>
            expect(frame).toEqual(expected.subarray(i * frameLength, (i + 1) * frameLength)),
          );
          expect(framer.dropped).toBe(0);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('says where the next frame lies', () => {
    const framer = new CaptureFramer(16_000);
    pushAll(framer, ramp(frameLength * 3));
    expect(framer.position).toBe(0);
    framer.shift();
    expect(framer.position).toBe(frameLength);
  });

  it('gives up the oldest frames, counted, when nobody takes them', () => {
    const framer = new CaptureFramer(16_000, 4);
    const input = ramp(frameLength * 10);
    pushAll(framer, input);
    expect(framer.waiting).toBe(4);
    expect(framer.dropped).toBe(6);
    expect(framer.framed).toBe(10);
    expect(framer.position).toBe(6 * frameLength);
    expect(framer.shift()).toEqual(input.slice(6 * frameLength, 7 * frameLength));
  });

  it('hands out each buffer once until it is refilled, and never the one it writes to', () => {
    const framer = new CaptureFramer(16_000, 3);
    const seen = new Set<Float32Array>();
    for (let round = 0; round < 50; round++) {
      pushAll(framer, ramp(frameLength * 2));
      for (const frame of takeAll(framer)) {
        expect(seen.has(frame)).toBe(false);
        seen.add(frame);
      }
    }
    expect(seen.size).toBe(100);
    expect(framer.dropped).toBe(0);
  });

  it('drops instead of allocating when the buffers it gave away were not replaced', () => {
    const framer = new CaptureFramer(16_000, 4);
    for (let i = 0; i < 6; i++) {
      pushAll(framer, ramp(frameLength));
      framer.shift();
    }
    expect(framer.framed).toBe(6);
    expect(framer.dropped).toBeGreaterThan(0);
  });
});
