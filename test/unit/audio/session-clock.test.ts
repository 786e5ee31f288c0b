import { describe, expect, it } from 'vitest';
import { SessionClock } from '../../../src/audio/session-clock.ts';

describe('SessionClock', () => {
  it('counts from the first thing it is asked about', () => {
    const clock = new SessionClock(48_000);
    expect(clock.started).toBe(false);
    expect(clock.at(4_800)).toBe(0);
    expect(clock.at(52_800)).toBe(1_000);
  });

  it('knows no wall-clock origin before it has seen a block', () => {
    const clock = new SessionClock(48_000);
    clock.observe(128, 5_000);
    expect(clock.originMs).toBeNaN();
  });

  it('takes the least late block for the origin and follows a context that lost time', () => {
    const clock = new SessionClock(48_000);
    clock.start(0);
    const play = (from: number, seconds: number, shift: number) => {
      for (let frame = from; frame < from + seconds * 48_000; frame += 480)
        clock.observe(frame, 1_000_000 + frame / 48 + shift + (frame % 1_440) / 100);
    };
    play(0, 2, 0);
    expect(clock.originMs).toBeCloseTo(1_000_000, 6);
    play(96_000, 3, 250);
    expect(clock.originMs).toBeCloseTo(1_000_250, 6);
  });
});
