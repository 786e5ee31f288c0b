/** The meters: what they tell the page, and how rarely. */
import { describe, expect, it } from 'vitest';
import { LagMeter, LevelMeter, type LevelReading } from '../../../src/speech/turn/meters.ts';

describe('the level meter', () => {
  it('gives root mean square and highest probability of every two frames', () => {
    const readings: LevelReading[] = [];
    const meter = new LevelMeter((reading) => readings.push(reading));
    meter.take(new Float32Array(512).fill(0.3), 0.9);
    meter.take(new Float32Array(512).fill(-0.4), 0.1);
    meter.take(new Float32Array(512), 0);
    expect(readings).toHaveLength(1);
    expect(readings[0]?.microphone).toBeCloseTo(Math.sqrt((0.09 + 0.16) / 2), 5);
    expect(readings[0]?.probability).toBe(0.9);
  });
});

describe('the lag meter', () => {
  it('does not mistake two clocks that run apart for lateness, even over hours', () => {
    const alarms: unknown[] = [];
    const meter = new LagMeter((reading) => alarms.push(reading));
    for (let at = 0; at < 3 * 3_600_000; at += 320) meter.take(at, 1.0001 * at);
    expect(alarms).toEqual([]);
    expect(meter.lagMs).toBeLessThan(1);
  });

  it('alarms when judgement falls behind, and measures from the quickest frame', () => {
    const alarms: { readonly lagMs: number }[] = [];
    const meter = new LagMeter((reading) => alarms.push(reading));
    meter.take(32, 5_050);
    meter.take(64, 5_070);
    meter.take(96, 5_400);
    expect(alarms.map(({ lagMs }) => Math.round(lagMs))).toEqual([298]);
  });
});
