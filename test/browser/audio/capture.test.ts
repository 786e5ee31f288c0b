import { afterEach, describe, expect, it } from 'vitest';
import type { AudioElement } from '../../../src/core/element.ts';
import { MicrophoneStage } from '../../../src/stages/streaming/microphone-stage.ts';
import { testContext } from '../../../src/testing/stage-context.ts';
import {
  block,
  distinct,
  FarPort,
  indexOfSound,
  openRig,
  playInto,
  sine,
  type Rig,
} from './rig.ts';

let rig: Rig;
afterEach(() => rig.close());

const framesOf = (port: FarPort) =>
  port.elements.filter((element): element is AudioElement => element.kind === 'audio');

function samplesOf(frames: readonly AudioElement[]): Float32Array {
  const all = new Float32Array(frames.length * 512);
  frames.forEach(({ samples }, i) => all.set(samples, i * 512));
  return all;
}

describe('the microphone', () => {
  it('gives the very samples, complete and in order, at the rate of the context', async () => {
    rig = await openRig(16_000);
    const port = new FarPort(rig.condition, 32);
    await rig.edge.openMicrophone(port.near);
    const clip = distinct(16_000);
    await rig.condition.until(() => framesOf(port).length > 0);
    playInto(rig, rig.captureNode, clip);
    await rig.condition.until(() => framesOf(port).length > 45);
    const frames = framesOf(port);
    expect(
      frames.every(({ samples, sampleRate }) => samples.length === 512 && sampleRate === 16_000),
    ).toBe(true);
    frames.forEach(({ at }, i) => expect(at).toBe(i * 32));
    const samples = samplesOf(frames);
    const start = indexOfSound(samples);
    expect(samples.subarray(start, start + clip.length)).toEqual(clip);
  });

  it('gives 16 kHz whatever the rate of the context, and keeps a tone a tone', async () => {
    rig = await openRig(44_100);
    const port = new FarPort(rig.condition, 32);
    await rig.edge.openMicrophone(port.near);
    await rig.condition.until(() => framesOf(port).length > 0);
    playInto(rig, rig.captureNode, sine(1_000, 44_100, 1, 0.5));
    await rig.condition.until(() => framesOf(port).length > 45);
    const samples = samplesOf(framesOf(port));
    const start = indexOfSound(samples) + 800;
    const tone = samples.subarray(start, start + 12_800);
    const power = (hertz: number) => {
      let cos = 0;
      let sin = 0;
      tone.forEach((sample, i) => {
        cos += sample * Math.cos((2 * Math.PI * hertz * i) / 16_000);
        sin += sample * Math.sin((2 * Math.PI * hertz * i) / 16_000);
      });
      return (2 * (cos ** 2 + sin ** 2)) / tone.length ** 2;
    };
    const total = tone.reduce((sum, sample) => sum + sample ** 2, 0) / tone.length;
    expect(total).toBeCloseTo(0.125, 3);
    expect(power(1_000) / total).toBeGreaterThan(0.9999);
  });

  it('reaches a worker without a gap while the page is blocked for three seconds', async () => {
    rig = await openRig(48_000);
    const worker = new Worker(new URL('./frames.worker.ts', import.meta.url), { type: 'module' });
    type Frames = { at: number; arrived: number; length: number }[];
    const report = () =>
      new Promise<Frames>((resolve) => {
        worker.onmessage = ({ data }: MessageEvent<Frames>) => resolve(data);
        worker.postMessage('report');
      });
    const { port1, port2 } = new MessageChannel();
    worker.postMessage(port2, [port2]);
    const dropped: unknown[] = [];
    rig.edge.on('dropped', (drop) => dropped.push(drop));
    await rig.edge.openMicrophone(port1);
    let frames = await report();
    while (frames.length === 0) frames = await report();
    const from = performance.timeOrigin + performance.now();
    block(3_000);
    const to = performance.timeOrigin + performance.now();
    await rig.advance(24_000);
    frames = await report();
    worker.terminate();
    frames.forEach(({ at }, i) => expect(at).toBe(i * 32));
    expect(dropped).toEqual([]);
    const during = frames.filter(({ arrived }) => arrived > from && arrived < to).length;
    console.info(`frames that reached the worker during a block of 3 s: ${during} of ~93`);
    expect(during).toBeGreaterThan(60);
  });

  it('goes on in silence while muted', async () => {
    rig = await openRig(16_000);
    const port = new FarPort(rig.condition, 32);
    await rig.edge.openMicrophone(port.near);
    rig.edge.muted = true;
    playInto(rig, rig.microphone, distinct(8_000), 0.2);
    await rig.advance(16_000);
    expect(framesOf(port).length).toBeGreaterThan(25);
    expect(samplesOf(framesOf(port)).every((sample) => sample === 0)).toBe(true);
    rig.edge.muted = false;
    const before = framesOf(port).length;
    playInto(rig, rig.microphone, distinct(8_000), 0.2);
    await rig.condition.until(() => indexOfSound(samplesOf(framesOf(port).slice(before))) >= 0);
  });

  it('tells its level and when its first sample was captured', async () => {
    rig = await openRig(16_000);
    const levels: number[] = [];
    rig.edge.on('level', ({ side, rms }) => {
      if (side === 'microphone') levels.push(rms);
      rig.condition.changed();
    });
    expect(rig.edge.captureOrigin).toBeNaN();
    const before = performance.timeOrigin + performance.now();
    await rig.edge.openMicrophone(new FarPort(rig.condition, 32).near);
    playInto(rig, rig.captureNode, sine(500, 16_000, 0.5, 0.5));
    await rig.condition.until(() => levels.some((level) => level > 0.3 && level < 0.4));
    await rig.condition.until(() => !Number.isNaN(rig.edge.captureOrigin));
    expect(rig.edge.captureOrigin).toBeGreaterThan(before - 100);
    expect(rig.edge.captureOrigin).toBeLessThan(performance.timeOrigin + performance.now());
  });

  it('is a stage: frames flow until the run ends, and then the track has ended', async () => {
    const streams: MediaStream[] = [];
    rig = await openRig(16_000, {
      getStream: () => {
        const stream = rig.microphone.stream.clone();
        streams.push(stream);
        return Promise.resolve(stream);
      },
    });
    const stage = new MicrophoneStage(rig.edge);
    const context = testContext();
    const nothing = (async function* () {})();
    const seen: number[] = [];
    for await (const element of stage.process(nothing, context)) {
      seen.push(element.at);
      if (seen.length === 5) break;
    }
    expect(seen).toEqual([0, 32, 64, 96, 128]);
    context.end();
    expect(streams).toHaveLength(1);
    await rig.condition.until(() => streams[0]?.getTracks()[0]?.readyState === 'ended');
  });
});
