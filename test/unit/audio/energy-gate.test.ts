import { describe, expect, it } from 'vitest';
import { EnergyGate } from '../../../src/audio/energy-gate.ts';

const rate = 48_000;
const quantum = 128;
const quantumMs = (quantum * 1000) / rate;

interface Scene {
  /** Root mean square at the microphone. */
  readonly level: number;
  readonly ms: number;
  /** Root mean square of the playback; 0: not audible. */
  readonly playback?: number;
}

/** Runs a scene; the time within it at which the gate opened, or undefined. */
function run(gate: EnergyGate, { level, ms, playback = 0 }: Scene): number | undefined {
  let opened: number | undefined;
  for (let at = 0; at < ms; at += quantumMs)
    if (gate.update(level * level, quantum, playback > 0, playback)) opened ??= at;
  return opened;
}

/** A gate in a quiet room whose echo canceller works: 5 s of playback behind it. */
function settled(): EnergyGate {
  const gate = new EnergyGate(rate);
  run(gate, { level: 0.001, ms: 1_000 });
  run(gate, { level: 0.002, ms: 5_000, playback: 0.1 });
  return gate;
}

describe('EnergyGate', () => {
  it('opens within 40 ms of speech over the assistant', () => {
    expect(run(settled(), { level: 0.06, ms: 500, playback: 0.1 })).toBeLessThanOrEqual(40);
  });

  it('stays closed while nothing is played, however loud it is', () => {
    expect(run(settled(), { level: 0.5, ms: 2_000 })).toBeUndefined();
  });

  it('stays closed for the noise of the room', () => {
    const gate = new EnergyGate(rate);
    run(gate, { level: 0.008, ms: 20_000 });
    expect(run(gate, { level: 0.01, ms: 5_000, playback: 0.1 })).toBeUndefined();
  });

  it('stays closed for a steady echo without a canceller, and opens for a voice above it', () => {
    const gate = new EnergyGate(rate);
    run(gate, { level: 0.001, ms: 1_000 });
    expect(run(gate, { level: 0.03, ms: 4_000, playback: 0.1 })).toBeUndefined();
    expect(run(gate, { level: 0.07, ms: 300, playback: 0.1 })).toBeLessThanOrEqual(60);
  });

  it('asks for more at the very first playback but is not deaf', () => {
    const fresh = () => {
      const gate = new EnergyGate(rate);
      run(gate, { level: 0.001, ms: 1_000 });
      run(gate, { level: 0.002, ms: 500, playback: 0.1 });
      return gate;
    };
    expect(fresh().threshold).toBeGreaterThan(settled().threshold);
    expect(run(fresh(), { level: 0.1, ms: 300, playback: 0.1 })).toBeLessThanOrEqual(40);
  });

  it('ignores a click shorter than its attack', () => {
    const gate = settled();
    expect(run(gate, { level: 0.05, ms: 5, playback: 0.1 })).toBeUndefined();
    expect(run(gate, { level: 0.001, ms: 500, playback: 0.1 })).toBeUndefined();
  });

  it('holds through the short gaps of speech and closes after a quarter of a second of quiet', () => {
    const gate = settled();
    run(gate, { level: 0.06, ms: 200, playback: 0.1 });
    run(gate, { level: 0.001, ms: 150, playback: 0.1 });
    expect(gate.open).toBe(true);
    run(gate, { level: 0.06, ms: 50, playback: 0.1 });
    run(gate, { level: 0.001, ms: 350, playback: 0.1 });
    expect(gate.open).toBe(false);
  });

  it('does not open again for the sound it was dismissed for, and takes it for echo afterwards', () => {
    const gate = settled();
    const before = gate.threshold;
    run(gate, { level: 0.06, ms: 200, playback: 0.1 });
    gate.dismiss();
    expect(run(gate, { level: 0.06, ms: 2_000, playback: 0.1 })).toBeUndefined();
    expect(gate.threshold).toBeGreaterThan(before);
    run(gate, { level: 0.001, ms: 300, playback: 0.1 });
    expect(run(gate, { level: 0.06, ms: 500, playback: 0.1 })).toBeUndefined();
    expect(run(gate, { level: 0.2, ms: 500, playback: 0.1 })).toBeDefined();
  });

  it('closes by itself when a steady sound keeps it open', () => {
    const gate = settled();
    run(gate, { level: 0.06, ms: 4_000, playback: 0.1 });
    expect(gate.open).toBe(false);
  });

  it('closes when the assistant falls silent', () => {
    const gate = settled();
    run(gate, { level: 0.06, ms: 200, playback: 0.1 });
    expect(gate.open).toBe(true);
    run(gate, { level: 0.06, ms: 10 });
    expect(gate.open).toBe(false);
  });
});
