/**
 * Recordings of people through Silero and `AudioTurnStage`, as fast as the machine goes: every spoken
 * word lies in an utterance, and no turn is made of nothing.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { element, type StreamElement, type UtteranceElement } from '../../../src/core/element.ts';
import { sileroVoiceActivityDetector } from '../../../src/speech/vad/silero.ts';
import type { VoiceActivityDetector } from '../../../src/speech/vad/voice-activity.ts';
import { AudioTurnStage } from '../../../src/stages/streaming/audio-turn-stage.ts';
import { only, runOn } from '../../../src/testing/index.ts';
import { modelUrl, samplesOf } from './silero-fixture.ts';

interface Recording {
  readonly file: string;
  readonly text: string;
  readonly speech?: readonly (readonly [number, number])[];
}

const audio = new URL('../../../../shared/audio/', import.meta.url);
const present = existsSync(new URL('manifest.json', audio));
if (!present) console.warn('SKIPPED: recordings of human speech are missing at ../shared/audio');

/** How far below its loudest 32 ms a digit still counts as sound: the segments hold the recordings' hiss as well. */
const audibleDecibels = 30;
/** Lost at either end of a digit without harm, ms. */
const toleranceMs = 32;

/** The part of a segment, ms, that can be heard. */
function audiblePart(samples: Float32Array, start: number, end: number): [number, number] {
  const levels: number[] = [];
  for (let at = start * 16_000; at < end * 16_000; at += 512) {
    const frame = samples.subarray(at, Math.min(at + 512, end * 16_000));
    levels.push(10 * Math.log10(frame.reduce((sum, sample) => sum + sample ** 2, 1e-9) / 512));
  }
  const floor = Math.max(...levels) - audibleDecibels;
  const first = levels.findIndex((level) => level > floor);
  const last = levels.findLastIndex((level) => level > floor);
  return [start * 1000 + first * 32, Math.min(end * 1000, start * 1000 + (last + 1) * 32)];
}

let vad: VoiceActivityDetector;
beforeAll(async () => {
  vad = sileroVoiceActivityDetector({ modelUrl: await modelUrl('v6') });
  await vad.load();
});
afterAll(() => vad.dispose());

/** What the stage makes of samples, in chunks of 1 000 samples and with two seconds of silence after them. */
async function hear(samples: Float32Array): Promise<StreamElement[]> {
  const padded = new Float32Array(samples.length + 32_000);
  padded.set(samples);
  const chunks = Array.from({ length: Math.ceil(padded.length / 1000) }, (_, index) =>
    element('audio', {
      samples: padded.slice(index * 1000, (index + 1) * 1000),
      sampleRate: 16_000,
      at: index * 62.5,
    }),
  );
  return runOn(new AudioTurnStage({ vad }), chunks);
}

/** From the first to the last sample of an utterance, ms. */
const span = ({ at, samples, sampleRate }: UtteranceElement): [number, number] => [
  at,
  at + (samples.length * 1000) / sampleRate,
];

/** Where it is within 12 dB of the recording's loudest 32 ms, louder than breath and paper: ms, middles of frames. */
function loudFrames(samples: Float32Array): number[] {
  const levels = Array.from({ length: Math.floor(samples.length / 512) }, (_, index) => {
    const frame = samples.subarray(index * 512, (index + 1) * 512);
    return 10 * Math.log10(frame.reduce((sum, sample) => sum + sample ** 2, 1e-9) / 512);
  });
  const floor = Math.max(...levels) - 12;
  return levels.flatMap((level, index) => (level > floor ? [index * 32 + 16] : []));
}

const holds = (utterance: UtteranceElement, at: number): boolean => {
  const [from, to] = span(utterance);
  return from <= at && at <= to;
};

describe.runIf(present)('human speech', async () => {
  const manifest = present
    ? (JSON.parse(await readFile(new URL('manifest.json', audio), 'utf8')) as Recording[])
    : [];
  const digits = manifest.filter(({ speech }) => speech !== undefined);

  it.each(digits)('$file is one turn that holds every digit', async ({ file, speech = [] }) => {
    const samples = await samplesOf(new URL(file, audio));
    const outputs = await hear(samples);
    const utterances = only(outputs, 'utterance');
    expect(utterances).toHaveLength(1);
    const [from, to] = span(utterances[0] as UtteranceElement);
    for (const [start, end] of speech) {
      const [first, last] = audiblePart(samples, start, end);
      expect(from, `the digit at ${start} s`).toBeLessThanOrEqual(first + toleranceMs);
      expect(to, `the digit until ${end} s`).toBeGreaterThanOrEqual(last - toleranceMs);
    }
  });

  it.each(manifest.filter(({ speech }) => speech === undefined))(
    '$file: turns hold speech, and all of it',
    async ({ file }) => {
      const samples = await samplesOf(new URL(file, audio));
      const utterances = only(await hear(samples), 'utterance');
      const loud = loudFrames(samples);
      const missed = loud.filter((at) => !utterances.some((each) => holds(each, at)));
      expect(missed).toEqual([]);
      expect(utterances.length).toBeGreaterThan(0);
      for (const utterance of utterances)
        expect(loud.some((at) => holds(utterance, at))).toBe(true);
    },
  );

  it('takes the first pause of 0.7 s for an end, learns from it, and then only that of 1.1 s', async () => {
    const utterances = only(
      await hear(await samplesOf(new URL('beckett.wav', audio))),
      'utterance',
    );
    const gaps = utterances
      .slice(1)
      .map((next, index) =>
        Math.round((next.speechStart - (utterances[index]?.speechEnd ?? 0)) / 100),
      );
    expect(gaps).toEqual([7, 11]);
  });
});
