/** Recordings of two people who talk at once, through Silero on a track each. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { messageText, type StreamElement } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import type { Recognizer } from '../../../src/speech/stt/recognizer.ts';
import { sileroVoiceActivityDetector } from '../../../src/speech/vad/silero.ts';
import { AudioTurnStage } from '../../../src/stages/streaming/audio-turn-stage.ts';
import { speakerTracks, type SpeakerTrack } from '../../../src/stages/streaming/speaker-tracks.ts';
import { STTStage } from '../../../src/stages/streaming/stt-stage.ts';
import { elements, only } from '../../../src/testing/elements.ts';
import { join, silence } from '../../../src/testing/sounds.ts';
import { interleaved } from './interleaved.ts';
import { modelUrl, samplesOf } from './silero-fixture.ts';

const audio = new URL('../../../../shared/audio/', import.meta.url);
const present = existsSync(new URL('manifest.json', audio));
if (!present) console.warn('SKIPPED: recordings of human speech are missing at ../shared/audio');

interface ManifestEntry {
  readonly file: string;
  readonly speech?: readonly (readonly [startSeconds: number, endSeconds: number])[];
}

describe.runIf(present)('two people, heard by Silero', () => {
  it('who talk at the same time, each in their own turns', { timeout: 120_000 }, async () => {
    const manifest = JSON.parse(
      readFileSync(new URL('manifest.json', audio), 'utf8'),
    ) as ManifestEntry[];
    const people = {
      ann: ['digits/george_00.wav', 'digits/george_01.wav'],
      ben: ['digits/jackson_00.wav', 'digits/jackson_01.wav'],
    };
    const url = await modelUrl('v6');
    /** Lengths of the utterances that each person's recogniser was given, ms. */
    const heardMs: Record<string, number[]> = {};
    const track = (label: string): SpeakerTrack => {
      const lengths: number[] = (heardMs[label] = []);
      const recognizer: Recognizer = {
        sampleRate: 16_000,
        load: async () => undefined,
        transcribe: async (samples) => {
          lengths.push(samples.length / 16);
          return { text: `utterance ${lengths.length}`, words: [], confidence: 1 };
        },
        dispose: async () => undefined,
      };
      const vad = sileroVoiceActivityDetector({ modelUrl: url });
      return { stages: [new AudioTurnStage({ vad }), new STTStage({ recognizer })] };
    };
    const chunks = async (label: string, files: readonly string[]): Promise<StreamElement[]> => {
      const said = await Promise.all(files.map((file) => samplesOf(new URL(file, audio))));
      const parts = said.flatMap((samples) => [{ samples, sampleRate: 16_000 }, silence(1000)]);
      return elements()
        .frames(join(...parts), 1000)
        .map((one) => ({ ...one, source: label }));
    };
    const [ann, ben] = await Promise.all(
      Object.entries(people).map(([label, files]) => chunks(label, files)),
    );
    const pipeline = new PipelineBuilder({ session: 'live', idleTimeoutMs: 0 })
      .chain(speakerTracks({ ann: track('ann'), ben: track('ben') }))
      .build();
    const { outputs } = await pipeline.executeSync(...interleaved(ann ?? [], ben ?? []));
    await pipeline.shutdown();
    for (const [label, files] of Object.entries(people)) {
      const said = only(outputs, 'message').filter(({ meta }) => meta?.['speaker'] === label);
      expect(said.map(({ message }) => messageText(message))).toEqual([
        `${label}: utterance 1`,
        `${label}: utterance 2`,
      ]);
      // From the first digit to the last, and at most the pre-roll and the tail besides.
      files.forEach((file, index) => {
        const { speech = [] } = manifest.find((entry) => entry.file === file) ?? {};
        const spokenMs = 1000 * ((speech.at(-1)?.[1] ?? 0) - (speech[0]?.[0] ?? 0));
        expect(spokenMs).toBeGreaterThan(1000);
        expect(heardMs[label]?.[index]).toBeGreaterThan(0.85 * spokenMs);
        expect(heardMs[label]?.[index]).toBeLessThan(spokenMs + 1000);
      });
    }
    const ends = only(outputs, 'turn-end').map(({ turn }) => turn);
    expect(ends).toHaveLength(4);
    expect(ends).toEqual([...new Set(ends)].toSorted((a, b) => a - b));
  });
});
