/** The ears worker in a real browser: Silero's probabilities, a turn through the worker, talk-over by port. */
import { describe, expect, it } from 'vitest';
import modelUrl from '../../../assets/silero_vad_v6.onnx?url';
import golden from '../../fixtures/golden/silero-v6.json';
import clipUrl from '../../fixtures/question.wav?url';
import { wavSamples } from '../../fixtures/read-wav.ts';
import type { FloorCommand } from '../../../src/audio/floor.ts';
import {
  element,
  type ElementOf,
  type Kind,
  type StreamElement,
} from '../../../src/core/element.ts';
import { inWorker } from '../../../src/core/stage/remote-stage.ts';
import { sileroVoiceActivityDetector } from '../../../src/speech/vad/silero.ts';
import { testContext } from '../../../src/testing/stage-context.ts';

const makeWorker = (): Worker =>
  new Worker(new URL('../../../workers/ears.ts', import.meta.url), { type: 'module' });

const question = async (): Promise<Float32Array<ArrayBuffer>> =>
  wavSamples(await (await fetch(clipUrl)).arrayBuffer());

/** Microphone frames of `samples`, the first at `from` frames. */
const microphone = (samples: Float32Array, from = 0): ElementOf<'audio'>[] =>
  Array.from({ length: Math.floor(samples.length / 512) }, (_, index) =>
    element('audio', {
      samples: samples.slice(index * 512, (index + 1) * 512),
      sampleRate: 16_000,
      at: (from + index) * 32,
    }),
  );

const only = <K extends Kind>(elements: readonly StreamElement[], kind: K): ElementOf<K>[] =>
  elements.filter((each): each is ElementOf<K> => each.kind === kind);

async function collect(outputs: AsyncIterable<StreamElement>): Promise<StreamElement[]> {
  const all: StreamElement[] = [];
  for await (const output of outputs) all.push(output);
  return all;
}

/** A stream of what it is given. */
async function* streamOf(elements: Iterable<StreamElement>): AsyncGenerator<StreamElement> {
  yield* elements;
}

describe('Silero in the browser', () => {
  it('gives the golden probability of every frame though no call is awaited', async () => {
    const vad = sileroVoiceActivityDetector({ modelUrl });
    const bytes: number[] = [];
    await vad.load(({ loaded }) => bytes.push(loaded));
    expect(bytes.at(-1)).toBe(2_327_524);
    const frames = microphone(await question());
    const probabilities = await Promise.all(frames.map(({ samples }) => vad.process(samples)));
    expect(probabilities).toHaveLength(golden.probabilities.length);
    const farthest = Math.max(
      ...probabilities.map((value, index) =>
        Math.abs(value - (golden.probabilities[index] ?? NaN)),
      ),
    );
    expect(farthest).toBeLessThan(1e-4);
    await vad.dispose();
  });
});

describe('the ears worker', () => {
  it('makes one turn of a question, in two runs of one worker', async () => {
    const ears = inWorker(makeWorker, 'ears', { modelUrl, levels: true }, { keepAlive: true });
    const samples = await question();
    for (let run = 0; run < 2; run += 1) {
      const context = testContext();
      const outputs = await collect(ears.process(streamOf(microphone(samples)), context));
      const utterances = only(outputs, 'utterance');
      expect(utterances).toHaveLength(1);
      expect(Math.abs((utterances[0]?.speechStart ?? 0) - 600)).toBeLessThan(64);
      expect(Math.abs((utterances[0]?.speechEnd ?? 0) - 2607)).toBeLessThan(128);
      expect(outputs.at(-1)?.kind).toBe('turn-end');
      // The model is loaded once and stays.
      expect(context.events.some(({ type }) => type === 'progress')).toBe(run === 0);
      expect(context.events.some(({ type }) => type === 'level')).toBe(true);
    }
    ears.close();
  });

  it('pauses and flushes playback through its port when someone talks over the reply', async () => {
    const floor = new MessageChannel();
    const commands: FloorCommand[] = [];
    floor.port1.onmessage = ({ data }: MessageEvent<FloorCommand>) => commands.push(data);
    const ears = inWorker(makeWorker, 'ears', () => ({
      modelUrl,
      floor: floor.port2,
      firstPlaybackMs: 0,
    }));
    const samples = await question();
    const frames = microphone(samples);
    let answered = (): void => undefined;
    const turnEnded = new Promise<void>((resolve) => (answered = resolve));
    async function* conversation(): AsyncGenerator<StreamElement> {
      yield* frames;
      await turnEnded;
      yield* microphone(samples, frames.length);
    }
    const outputs: StreamElement[] = [];
    for await (const output of ears.process(conversation(), testContext())) {
      outputs.push(output);
      if (output.kind !== 'turn-end' || output.turn !== 1) continue;
      floor.port1.postMessage({ type: 'audible', turn: 1, at: output.at });
      // The report is on its way before the next frame is.
      answered();
    }
    expect(commands.map(({ type }) => type)).toEqual(['pause', 'flush']);
    expect(only(outputs, 'interrupt').map(({ turn }) => turn)).toEqual([1]);
    expect(only(outputs, 'utterance').map(({ turn }) => turn)).toEqual([1, 2]);
    floor.port1.close();
  });

  it('says what to do when the model is not where it should be', async () => {
    const ears = inWorker(makeWorker, 'ears', { modelUrl: '/nowhere/silero.onnx' });
    await expect(collect(ears.process(streamOf([]), testContext()))).rejects.toMatchObject({
      code: 'model-load',
      hint: expect.stringContaining('address'),
    });
  });
});
