/** How much silence ends a turn, and what it learns. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixedSilence, learnedSilence } from '../../../src/speech/turn/endpointing.ts';

describe('learned silence', () => {
  it('begins with 600 ms', () => {
    expect(learnedSilence().delayMs()).toBeCloseTo(600, 6);
  });

  it('waits clearly longer after one cut-off of a second', () => {
    const policy = learnedSilence();
    policy.held(1000);
    expect(policy.delayMs()).toBeGreaterThan(750);
  });

  it('comes down to 500 ms for someone who never pauses long', () => {
    const policy = learnedSilence();
    for (let pause = 0; pause < 20; pause += 1) policy.held(180);
    expect(policy.delayMs()).toBe(500);
  });

  it('keeps most of the pauses of a hesitant speaker', () => {
    const policy = learnedSilence();
    const pauses = Array.from({ length: 60 }, (_, index) => 300 * 1.35 ** ((index % 7) - 3));
    for (const pause of pauses) policy.held(pause);
    const longer = pauses.filter((pause) => pause > policy.delayMs());
    expect(longer.length / pauses.length).toBeLessThan(0.15);
  });

  it('ignores what belongs to articulation', () => {
    const policy = learnedSilence();
    for (let pause = 0; pause < 50; pause += 1) policy.held(64);
    expect(policy.delayMs()).toBeCloseTo(600, 6);
  });

  it('never leaves 500…3 000 ms, whatever it is told', () => {
    fc.assert(
      fc.property(fc.array(fc.double()), (pauses) => {
        const policy = learnedSilence();
        for (const pause of pauses) policy.held(pause);
        expect(policy.delayMs()).toBeGreaterThanOrEqual(500);
        expect(policy.delayMs()).toBeLessThanOrEqual(3000);
      }),
    );
  });

  it('follows a turn detector in both directions', () => {
    expect(learnedSilence().delayMs(0.9)).toBe(300);
    expect(learnedSilence().delayMs(0.1)).toBe(2500);
  });
});

describe('fixed silence', () => {
  it('learns nothing', () => {
    const policy = fixedSilence(800);
    policy.held(2500);
    expect(policy.delayMs()).toBe(800);
  });
});
