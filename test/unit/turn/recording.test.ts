/** Pre-roll ring, framer and recorder: no sample lost, none invented. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Framer } from '../../../src/speech/turn/framer.ts';
import { PreRoll } from '../../../src/speech/turn/pre-roll.ts';
import { TurnRecorder } from '../../../src/speech/turn/turn-recorder.ts';

/** 0, 1, 2, … so that a sample tells its position. */
const ramp = (length: number, from = 0): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, index) => from + index);

describe('the pre-roll', () => {
  it('gives back what was pushed last, whatever the sizes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 20 }),
        fc.integer({ min: -10, max: 200 }),
        (capacity, sizes, back) => {
          const ring = new PreRoll(capacity);
          let end = 0;
          for (const size of sizes) {
            ring.push(ramp(size, end));
            end += size;
          }
          const from = Math.min(end, Math.max(0, end - capacity, end - back));
          expect(ring.end).toBe(end);
          expect([...ring.since(end - back)]).toEqual([...ramp(end - from, from)]);
        },
      ),
    );
  });
});

describe('the framer', () => {
  it('loses no sample and dates each frame, whatever the sizes of the chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1500 }), { maxLength: 15 }), (sizes) => {
        const framer = new Framer(512, 16_000);
        let position = 0;
        const frames = sizes.flatMap((size) => {
          const made = framer.push(ramp(size, position), 1000 + position / 16);
          position += size;
          return made;
        });
        const rest = framer.flush();
        if (rest) frames.push(rest);
        expect(frames.map(({ at }) => at)).toEqual(frames.map((_, index) => 1000 + index * 32));
        const samples = frames.flatMap((frame) => [...frame.samples]);
        expect(samples.slice(0, position)).toEqual([...ramp(position)]);
        expect(samples.slice(position).every((sample) => sample === 0)).toBe(true);
        expect(samples.length - position).toBeLessThan(512);
      }),
    );
  });

  it('counts on when chunks carry no time', () => {
    const framer = new Framer(512, 16_000);
    const times = [0, 0, 0].flatMap(() => framer.push(ramp(512), 0)).map(({ at }) => at);
    expect(times).toEqual([0, 32, 64]);
  });

  it('moves forward when the microphone lost something', () => {
    const framer = new Framer(512, 16_000);
    framer.push(ramp(512), 0);
    expect(framer.push(ramp(512), 500)[0]?.at).toBe(500);
  });
});

describe('the recorder', () => {
  const options = { sampleRate: 16_000, preRollMs: 500, tailMs: 200 };

  /** Pushes frames up to `ms`, whose samples tell their position. */
  const pushUntil = (recorder: TurnRecorder, from: number, ms: number): number => {
    let position = from;
    for (; position < ms * 16; position += 512) recorder.push(ramp(512, position), position / 16);
    return position;
  };

  it('cuts the turn from pre-roll to tail', () => {
    const recorder = new TurnRecorder(options);
    let position = pushUntil(recorder, 0, 2080);
    const begun = recorder.begin(1984);
    expect([begun.at, begun.samples[0]]).toEqual([1484, 1484 * 16]);
    expect(begun.at + begun.samples.length / 16).toBe(2080);
    position = pushUntil(recorder, position, 4000);
    const { samples, at } = recorder.end(3200);
    expect([at, samples[0]]).toEqual([1484, 1484 * 16]);
    expect(samples).toHaveLength((3400 - 1484) * 16);
    expect(samples.at(-1)).toBe(3400 * 16 - 1);
    expect(recorder.open).toBe(false);
  });

  it('has no more pre-roll than there was audio', () => {
    const recorder = new TurnRecorder(options);
    pushUntil(recorder, 0, 128);
    expect(recorder.begin(64)).toMatchObject({ at: 0 });
  });

  it('gives no sample to two turns', () => {
    const recorder = new TurnRecorder(options);
    let position = pushUntil(recorder, 0, 1024);
    recorder.begin(512);
    position = pushUntil(recorder, position, 2048);
    recorder.end(2048);
    pushUntil(recorder, position, 2176);
    expect(recorder.begin(2080).at).toBe(2048);
  });

  it('lets the samples of a dropped turn be the pre-roll of the next', () => {
    const recorder = new TurnRecorder(options);
    const position = pushUntil(recorder, 0, 1024);
    recorder.begin(960);
    recorder.drop();
    pushUntil(recorder, position, 1280);
    expect(recorder.begin(1216).at).toBe(716);
  });
});
