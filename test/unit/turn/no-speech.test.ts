/** What is no speech makes no turn: Silero and `AudioTurnStage` over silence, noise, hum, clicks and bursts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { element } from '../../../src/core/element.ts';
import { sileroVoiceActivityDetector } from '../../../src/speech/vad/silero.ts';
import type { VoiceActivityDetector } from '../../../src/speech/vad/voice-activity.ts';
import { AudioTurnStage } from '../../../src/stages/streaming/audio-turn-stage.ts';
import { only, runOn } from '../../../src/testing/index.ts';
import { modelUrl } from './silero-fixture.ts';

let vad: VoiceActivityDetector;
beforeAll(async () => {
  vad = sileroVoiceActivityDetector({ modelUrl: await modelUrl('v6') });
  await vad.load();
});
afterAll(() => vad.dispose());

const seconds = 12;

/** A generator of the same numbers every time, −1…1 (mulberry32). */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

const white = noise(1);
const brown = noise(2);
const keys = noise(3);
let walk = 0;
const hum = (at: number): number =>
  0.1 * Math.sin((2 * Math.PI * 50 * at) / 16_000) +
  0.03 * Math.sin((2 * Math.PI * 150 * at) / 16_000);

const sounds: Record<string, (at: number) => number> = {
  'digital silence': () => 0,
  'noise at −40 dB': () => 0.017 * white(),
  'noise at −20 dB': () => 0.17 * white(),
  'low rumble': () => (walk = 0.99 * walk + 0.02 * brown()),
  'mains hum': hum,
  'a click every second': (at) => (at % 16_000 < 32 ? 0.9 * (1 - (at % 16_000) / 32) : 0),
  'typing on a keyboard': (at) => {
    const since = at % 2_900;
    return since < 480 ? 0.4 * keys() * Math.exp(-since / 90) : 0.003 * keys();
  },
  'noise that starts and stops': (at) => (Math.floor(at / 8_000) % 2 === 0 ? 0.1 * white() : 0),
};

describe('no speech', () => {
  it.each(Object.entries(sounds))('%s makes no turn and no interruption', async (_, sound) => {
    const chunks = Array.from({ length: (seconds * 16_000) / 512 }, (_frame, index) =>
      element('audio', {
        samples: Float32Array.from({ length: 512 }, (_sample, at) => sound(index * 512 + at)),
        sampleRate: 16_000,
        at: index * 32,
      }),
    );
    const outputs = await runOn(new AudioTurnStage({ vad }), chunks);
    expect(only(outputs, 'utterance')).toEqual([]);
    expect(only(outputs, 'turn-end')).toEqual([]);
    expect(only(outputs, 'speech-start')).toHaveLength(only(outputs, 'speech-end').length);
  });
});
