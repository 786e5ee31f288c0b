/** Two people, heard at the same time by real workers: Silero and the embedded recogniser, one pair each. */
import { afterEach, describe, expect, it } from 'vitest';
import modelUrl from '../../../assets/silero_vad_v6.onnx?url';
import { messageText, type StreamElement } from '../../../src/core/element.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { inWorker, type WorkerStage } from '../../../src/core/stage/remote-stage.ts';
import { speakerTracks } from '../../../src/stages/streaming/speaker-tracks.ts';
import { elements, only } from '../../../src/testing/elements.ts';
import { join, silence } from '../../../src/testing/sounds.ts';
import { fixtureClips, modelFiles, type Clip } from '../scribe/fixtures.ts';

const earsWorker = (): Worker =>
  new Worker(new URL('../../../workers/ears.ts', import.meta.url), { type: 'module' });
const scribeWorker = (): Worker =>
  new Worker(new URL('../../../workers/scribe.ts', import.meta.url), { type: 'module' });

const hosted: WorkerStage[] = [];
afterEach(() => {
  for (const stage of hosted.splice(0)) stage.close();
});

/** The ears and the scribe of one speaker; workers of one file share a worker. */
const track = () => {
  const ears = inWorker(
    earsWorker,
    'ears',
    { modelUrl },
    { keepAlive: true, emits: ['utterance'] },
  );
  const scribe = inWorker(
    scribeWorker,
    'scribe',
    { engine: 'ctc', model: modelFiles },
    { keepAlive: true },
  );
  hosted.push(ears, scribe);
  return [ears, scribe];
};

const spoken = (label: string, clips: readonly Clip[]): StreamElement[] => {
  const parts = clips.flatMap(({ samples }) => [{ samples, sampleRate: 16_000 }, silence(1500)]);
  return elements()
    .frames(join(silence(500), ...parts), 512)
    .map((frame) => ({ ...frame, source: label }));
};

describe('speaker tracks over real workers', () => {
  it('write down what each of two people says at the same time', async () => {
    const clips = await fixtureClips();
    const said = (name: string): Clip => {
      const clip = clips.find((each) => each.name === name);
      if (!clip) throw new Error(`no clip ${name}`);
      return clip;
    };
    const alice = [said('domain-0.wav'), said('domain-2.wav')];
    const bob = [said('domain-1.wav'), said('domain-3.wav')];
    const [a, b] = [spoken('alice', alice), spoken('bob', bob)];
    const input = Array.from({ length: Math.max(a.length, b.length) }, (_, index) =>
      [a[index], b[index]].filter((frame) => frame !== undefined),
    ).flat();
    const pipeline = new PipelineBuilder({ session: 'live' })
      .chain(
        speakerTracks({
          alice: { stages: track(), speaker: 'Alice' },
          bob: { stages: track(), speaker: 'Bob' },
        }),
      )
      .build();
    const { outputs } = await pipeline.executeSync(...input);
    const heard = (label: string): string[] =>
      only(outputs, 'message')
        .filter(({ meta }) => meta?.['speaker'] === label)
        .map(({ message }) => messageText(message));
    expect(heard('alice')).toEqual(alice.map(({ text }) => `Alice: ${text}`));
    expect(heard('bob')).toEqual(bob.map(({ text }) => `Bob: ${text}`));
    const ends = only(outputs, 'turn-end').map(({ turn }) => turn);
    expect(ends).toHaveLength(4);
    expect(ends).toEqual(ends.toSorted((x, y) => x - y));
    expect(new Set(ends).size).toBe(4);
    await pipeline.shutdown();
  });
});
