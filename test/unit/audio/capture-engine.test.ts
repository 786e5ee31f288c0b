import { afterEach, describe, expect, it } from 'vitest';
import { CaptureEngine } from '../../../src/audio/capture-engine.ts';
import type { CaptureReport } from '../../../src/audio/edge-messages.ts';
import { sharedFloor } from '../../../src/audio/shared-floor.ts';
import { settle } from '../../../src/testing/index.ts';
import { creditOf, elementsOf, FarEnd } from './ports.ts';

const rate = 16_000;
const quantum = 128;
const ends: FarEnd[] = [];
let sessions = 0;

afterEach(() => {
  for (const end of ends.splice(0)) end.close();
});

function makeEngine() {
  const session = `capture-${(sessions += 1)}`;
  const reports: CaptureReport[] = [];
  const report = (message: CaptureReport) => reports.push(structuredClone(message));
  const engine = new CaptureEngine({ session, sampleRate: rate, report });
  const floor = sharedFloor(session, rate);
  let frame = 1_000;
  let count = 0;
  const capture = (quanta: number, level?: number) => {
    for (let i = 0; i < quanta; i++) {
      const block = Float32Array.from(
        { length: quantum },
        () => level ?? (count++ % 10_000) / 10_000,
      );
      engine.process(block, quantum, frame);
      frame += quantum;
    }
  };
  const open = (id = 1) => {
    const end = new FarEnd();
    ends.push(end);
    engine.command({ type: 'open', id, port: end.port });
    return end;
  };
  return {
    engine,
    floor,
    reports,
    capture,
    open,
    silence: () => engine.process(undefined, quantum, (frame += quantum)),
  };
}

describe('CaptureEngine', () => {
  it('still hears talk-over after a sample that was no number', () => {
    const { capture, floor, open } = makeEngine();
    open();
    capture(1, Number.NaN);
    capture(400, 0.001);
    floor.audible = true;
    floor.playbackLevel = 0.1;
    capture(40, 0.5);
    expect(floor.gateOpen).toBe(true);
  });

  it('sends frames in order, complete, on the capture clock, one a credit', async () => {
    const { capture, open } = makeEngine();
    const end = open();
    capture(12);
    await settle();
    expect(elementsOf(end)).toEqual([]);
    end.send({ type: 'credit', count: 2 });
    await settle();
    expect(elementsOf(end)).toHaveLength(2);
    end.send({ type: 'credit', count: 100 });
    await settle();
    capture(28);
    await settle();
    const frames = elementsOf(end);
    expect(frames.map(({ at }) => at)).toEqual(Array.from({ length: 10 }, (_, i) => i * 32));
    const samples = frames.flatMap((frame) => (frame.kind === 'audio' ? [...frame.samples] : []));
    expect(samples).toEqual(
      Array.from({ length: 5_120 }, (_, i) => Math.fround((i % 10_000) / 10_000)),
    );
  });

  it('keeps four seconds for a reader that stalls, and after that counts what it gives up', async () => {
    const { capture, open, reports } = makeEngine();
    const end = open();
    capture(4 * 120);
    end.send({ type: 'credit', count: 120 });
    await settle();
    expect(elementsOf(end)).toHaveLength(120);
    expect(reports.filter(({ type }) => type === 'dropped')).toEqual([]);
    capture(4 * 130);
    const dropped = reports.filter((report) => report.type === 'dropped');
    expect(dropped.reduce((sum, { frames }) => sum + frames, 0)).toBe(2);
    end.send({ type: 'credit', count: 200 });
    await settle();
    const frames = elementsOf(end);
    expect(frames).toHaveLength(248);
    expect(frames[120]?.at).toBe(122 * 32);
  });

  it('captures nothing before something is connected, and silence when it is gone again', async () => {
    const { silence, capture, open, floor } = makeEngine();
    const end = open();
    end.send({ type: 'credit', count: 100 });
    await settle();
    silence();
    expect(floor.clock.started).toBe(false);
    capture(4);
    for (let i = 0; i < 4; i++) silence();
    await settle();
    const [, quiet] = elementsOf(end);
    expect(quiet?.kind === 'audio' && quiet.samples.every((sample) => sample === 0)).toBe(true);
  });

  it('opens the gate in the quantum that makes the case, and closes it when it is lifted', () => {
    const { capture, open, floor, reports } = makeEngine();
    open();
    capture(200, 0);
    floor.audible = true;
    floor.playbackLevel = 0.05;
    capture(500, 0);
    expect(floor.gateOpen).toBe(false);
    capture(8, 0.2);
    expect(floor.gateOpen).toBe(true);
    floor.lifts += 1;
    capture(1, 0.2);
    expect(floor.gateOpen).toBe(false);
    capture(100, 0.2);
    expect(floor.gateOpen).toBe(false);
    expect(reports.flatMap((report) => (report.type === 'gate' ? [report.open] : []))).toEqual([
      true,
      false,
    ]);
  });

  it('tells the level only when asked to', () => {
    const { engine, capture, open, reports } = makeEngine();
    open();
    capture(125, 0.5);
    expect(reports).toEqual([]);
    engine.command({ type: 'levels', on: true });
    capture(125, 0.5);
    const levels = reports.filter((report) => report.type === 'level');
    expect(levels.length).toBeGreaterThanOrEqual(17);
    expect(levels.every(({ rms, peak }) => rms === 0.5 && peak === 0.5)).toBe(true);
  });

  it('ends with the reader, and tells so', async () => {
    const { capture, open, reports } = makeEngine();
    const end = open(7);
    end.send({ type: 'credit', count: 100 });
    await settle();
    capture(8);
    end.send({ type: 'cancel', reason: 'enough' });
    await settle();
    capture(8);
    expect(reports).toEqual([{ type: 'shut', id: 7, delivered: 2, dropped: 0 }]);
  });

  it('starts anew on another port and closes the one before', async () => {
    const { capture, open } = makeEngine();
    const first = open(1);
    const second = open(2);
    second.send({ type: 'credit', count: 10 });
    await settle();
    capture(4);
    await settle();
    expect(first.received.at(-1)).toEqual({ type: 'close' });
    expect(elementsOf(second)).toHaveLength(1);
    expect(creditOf(second)).toBe(0);
  });

  it('ends the processor when told to stop', () => {
    const { engine, open } = makeEngine();
    open();
    expect(engine.process(new Float32Array(quantum), quantum, 0)).toBe(true);
    engine.command({ type: 'stop' });
    expect(engine.process(new Float32Array(quantum), quantum, 0)).toBe(false);
  });
});
