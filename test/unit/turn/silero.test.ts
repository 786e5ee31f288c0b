/** Silero against golden probabilities computed with bare ORT runs (test/fixtures/golden/make-silero.mjs). */
import { afterEach, describe, expect, it } from 'vitest';
import { sileroVoiceActivityDetector } from '../../../src/speech/vad/silero.ts';
import type { VoiceActivityDetector } from '../../../src/speech/vad/voice-activity.ts';
import goldenV5 from '../../fixtures/golden/silero-v5.json' with { type: 'json' };
import goldenV6 from '../../fixtures/golden/silero-v6.json' with { type: 'json' };
import { modelUrl, questionFrames } from './silero-fixture.ts';

const detectors: VoiceActivityDetector[] = [];

async function detector(version: 'v5' | 'v6'): Promise<VoiceActivityDetector> {
  const made = sileroVoiceActivityDetector({ modelUrl: await modelUrl(version) });
  detectors.push(made);
  await made.load();
  return made;
}

const golden = { v5: goldenV5.probabilities, v6: goldenV6.probabilities };

const farthest = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN))));

afterEach(async () => {
  for (const made of detectors.splice(0)) await made.dispose();
});

describe.each(['v5', 'v6'] as const)('Silero %s', (version) => {
  it('gives the golden probability of every frame', async () => {
    const vad = await detector(version);
    const probabilities: number[] = [];
    for (const frame of await questionFrames()) probabilities.push(await vad.process(frame));
    const expected = golden[version];
    expect(probabilities).toHaveLength(expected.length);
    expect(farthest(probabilities, expected)).toBeLessThan(1e-4);
  });

  it('gives the same when no call is awaited and the caller reuses its buffer', async () => {
    const vad = await detector(version);
    const buffer = new Float32Array(512);
    const calls = (await questionFrames()).map((frame) => {
      buffer.set(frame);
      return vad.process(buffer);
    });
    expect(farthest(await Promise.all(calls), golden[version])).toBeLessThan(1e-4);
  });
});

describe('Silero', () => {
  it('forgets the stream at reset, in the order of the calls', async () => {
    const vad = await detector('v6');
    const frames = await questionFrames();
    for (const frame of frames.slice(0, 60)) void vad.process(frame);
    vad.reset();
    const again = await Promise.all(frames.map((frame) => vad.process(frame)));
    expect(farthest(again, golden.v6)).toBeLessThan(1e-4);
  });

  it('keeps two streams apart', async () => {
    const [first, second] = await Promise.all([detector('v6'), detector('v6')]);
    const frames = await questionFrames();
    const noise = new Float32Array(512).fill(0.01);
    const calls = frames.map((frame) => {
      void second?.process(noise);
      return first?.process(frame) ?? Number.NaN;
    });
    expect(farthest(await Promise.all(calls), golden.v6)).toBeLessThan(1e-4);
  });

  it('hears again after a frame of NaN and infinities', async () => {
    const vad = await detector('v6');
    const bad = new Float32Array(512).map(
      (_, index) => [Number.NaN, Infinity, -Infinity][index % 3] ?? 0,
    );
    expect(await vad.process(bad)).toBeLessThan(0.5);
    const probabilities = await Promise.all(
      (await questionFrames()).map((frame) => vad.process(frame)),
    );
    expect(Math.max(...probabilities)).toBeGreaterThan(0.95);
  });

  it('refuses a frame of another size', async () => {
    const vad = await detector('v6');
    await expect(vad.process(new Float32Array(480))).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  it('says so when it is used before load or after dispose', async () => {
    const vad = sileroVoiceActivityDetector({ modelUrl: await modelUrl('v6') });
    await expect(vad.process(new Float32Array(512))).rejects.toMatchObject({ code: 'model-run' });
    await vad.load();
    await vad.dispose();
    await expect(vad.process(new Float32Array(512))).rejects.toMatchObject({ code: 'model-run' });
  });

  it('may be loaded again after a load that failed', async () => {
    const address = new URL('data:application/octet-stream;base64,AAAA');
    const vad = sileroVoiceActivityDetector({ modelUrl: address });
    await expect(vad.load()).rejects.toMatchObject({ code: 'model-load' });
    address.href = await modelUrl('v6');
    await vad.load();
    expect(await vad.process(new Float32Array(512))).toBeLessThan(0.5);
    await vad.dispose();
  });

  it('does not load when the signal has aborted', async () => {
    const vad = sileroVoiceActivityDetector({ modelUrl: await modelUrl('v6') });
    await expect(vad.load(undefined, AbortSignal.abort())).rejects.toMatchObject({
      code: 'aborted',
    });
  });
});
