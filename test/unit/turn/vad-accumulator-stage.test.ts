import { assert, asyncProperty, integer } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { element, type AudioElement, type StreamElement } from '../../../src/core/element.ts';
import { AntiphonError } from '../../../src/core/errors.ts';
import { PipelineBuilder } from '../../../src/core/pipeline/builder.ts';
import { samplesToMs } from '../../../src/core/time.ts';
import {
  VADAccumulatorStage,
  type VADAccumulatorOptions,
} from '../../../src/stages/streaming/vad-accumulator-stage.ts';
import {
  only,
  recognition,
  runOn,
  scriptedRecognizer,
  scriptedVad,
  testContext,
} from '../../../src/testing/index.ts';
import { brief, turnEnd, user } from '../conversation/helpers.ts';
import { frames, microphone } from './scripted-speech.ts';

type Answers = Parameters<typeof scriptedRecognizer>[0];

function stageOf(
  answers: Answers,
  options: Partial<VADAccumulatorOptions> = {},
): { readonly stage: VADAccumulatorStage; readonly lengthsMs: () => number[] } {
  const recognizer = scriptedRecognizer(answers, { interims: 'none' });
  const stage = new VADAccumulatorStage({ vad: scriptedVad(), recognizer, ...options });
  const lengthsMs = (): number[] =>
    recognizer.transcribed.map(({ length }) => samplesToMs(length, 16_000));
  return { stage, lengthsMs };
}

const two = microphone(frames([960, 0], [640, 0.9], [960, 0], [640, 0.9], [960, 0]));

describe('VADAccumulatorStage', () => {
  it('makes one user message of each turn of a stream', async () => {
    const { stage, lengthsMs } = stageOf([
      recognition('Hello', { confidence: 0.8 }),
      recognition('Bye'),
    ]);
    const outputs = await runOn(stage, two);
    const turn = ['speech-start', 'speech-end'];
    expect(brief(outputs)).toEqual([
      ...turn,
      'user:Hello',
      'turn-end',
      ...turn,
      'user:Bye',
      'turn-end',
    ]);
    expect(outputs.map((output) => output.turn)).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    expect(only(outputs, 'message')[0]).toMatchObject({
      source: 'vad-accumulator',
      meta: { confidence: 0.8 },
    });
    // Pre-roll, speech and 200 ms behind it.
    expect(lengthsMs()).toEqual([300 + 640 + 200, 300 + 640 + 200]);
  });

  it('tells times on the capture clock', async () => {
    const { stage } = stageOf([recognition('Hello')]);
    const outputs = await runOn(stage, microphone(frames([960, 0], [640, 0.9], [960, 0])));
    expect(outputs.map(({ kind, at }) => [kind, at])).toEqual([
      ['speech-start', 960],
      ['speech-end', 1600],
      ['message', 660],
      // The first frame that completes 700 ms of silence.
      ['turn-end', 1600 + 704],
    ]);
  });

  it('takes a pause for part of the turn, and a short noise for nothing', async () => {
    const { stage, lengthsMs } = stageOf([recognition('Well then')]);
    const outputs = await runOn(
      stage,
      microphone(frames([96, 0.9], [960, 0], [640, 0.9], [480, 0], [640, 0.9], [960, 0])),
    );
    expect(brief(outputs)).toEqual(['speech-start', 'speech-end', 'user:Well then', 'turn-end']);
    expect(lengthsMs()).toEqual([300 + 640 + 480 + 640 + 200]);
  });

  it('cuts a turn that does not end and goes on with the next', async () => {
    const { stage, lengthsMs } = stageOf([recognition('One'), recognition('Two')], {
      maxTurnMs: 960,
    });
    const outputs = await runOn(stage, microphone(frames([1600, 0.9], [960, 0])));
    expect(only(outputs, 'turn-end').map(({ turn }) => turn)).toEqual([1, 2]);
    // No sample twice, none lost.
    expect(lengthsMs()).toEqual([960, 640 + 200]);
  });

  it('ends the open turn with the input, and lets nothing out behind the end', async () => {
    const { stage } = stageOf([recognition('Hello')]);
    const inputs = [...microphone(frames([640, 0.9])), element('end', {})];
    expect(brief(await runOn(stage, inputs))).toEqual([
      'speech-start',
      'speech-end',
      'user:Hello',
      'turn-end',
      'end',
    ]);
  });

  it('emits no message for a turn without words', async () => {
    const { stage } = stageOf([recognition(' ')]);
    const outputs = await runOn(stage, microphone(frames([640, 0.9], [960, 0])));
    expect(brief(outputs)).toEqual(['speech-start', 'speech-end', 'turn-end']);
  });

  it('tells of a turn that was not understood, and goes on', async () => {
    const { stage } = stageOf([
      new AntiphonError('model-run', 'out of memory'),
      recognition('Bye'),
    ]);
    const outputs = await runOn(stage, two);
    expect(brief(outputs).filter((each) => !each.startsWith('speech'))).toEqual([
      'error:model-run',
      'turn-end',
      'user:Bye',
      'turn-end',
    ]);
    expect(only(outputs, 'error')[0]).toMatchObject({ error: { stage: 'vad-accumulator' } });
  });

  it('passes everything else on in order, and gives no turn number twice', async () => {
    const { stage } = stageOf([recognition('Hello'), recognition('Bye')]);
    const typed = [user('typed', 4), turnEnd(4)];
    const outputs = await runOn(stage, [...two.slice(0, 40), ...typed, ...two.slice(40)]);
    expect(outputs).toEqual(expect.arrayContaining(typed));
    expect(only(outputs, 'message').map(({ turn }) => turn)).toEqual([4, 1, 5]);
  });

  it('refuses audio of another rate, once', async () => {
    const { stage } = stageOf([]);
    const wrong: AudioElement = element('audio', {
      samples: new Float32Array(512),
      sampleRate: 48_000,
    });
    expect(brief(await runOn(stage, [wrong, wrong]))).toEqual(['error:audio-format']);
  });

  it('refuses a recogniser of another rate', () => {
    const recognizer = { ...scriptedRecognizer([]), sampleRate: 8000 };
    expect(() => stageOf([], { recognizer })).toThrow(
      expect.objectContaining({ code: 'audio-format' }),
    );
  });

  it('stops when the run ends during a transcription', async () => {
    const context = testContext();
    const recognizer = scriptedRecognizer([]);
    recognizer.transcribe = (_, options) =>
      new Promise((_resolve, reject) => {
        options?.signal?.addEventListener('abort', () => reject(new Error('stopped')));
        context.end();
      });
    const { stage } = stageOf([], { recognizer });
    await expect(runOn(stage, two, context)).rejects.toThrow('stopped');
  });

  it('comes to the same turns however the audio was chopped', async () => {
    const whole = new Float32Array(two.flatMap(({ samples }) => Array.from(samples)));
    const { stage: reference } = stageOf([recognition('Hello'), recognition('Bye')]);
    const times = (outputs: readonly StreamElement[]): unknown =>
      outputs.map(({ kind, turn, at }) => [kind, turn, Math.round(at)]);
    const expected = times(await runOn(reference, two));
    await assert(
      asyncProperty(integer({ min: 100, max: 9000 }), async (size) => {
        const chunks: AudioElement[] = [];
        for (let from = 0; from < whole.length; from += size)
          chunks.push(
            element('audio', {
              samples: whole.slice(from, from + size),
              sampleRate: 16_000,
              at: samplesToMs(from, 16_000),
            }),
          );
        const { stage } = stageOf([recognition('Hello'), recognition('Bye')]);
        expect(times(await runOn(stage, chunks))).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('turns a recording into messages in a built pipeline, and serves a second run', async () => {
    const { stage } = stageOf([
      recognition('Hello'),
      recognition('Bye'),
      recognition('Again'),
      recognition('End'),
    ]);
    const pipeline = new PipelineBuilder().chain(stage).build();
    for (const words of [
      ['user:Hello', 'user:Bye'],
      ['user:Again', 'user:End'],
    ]) {
      const fresh = two.map((each) => ({ ...each, samples: each.samples.slice() }));
      const { messages } = await pipeline.executeSync(...fresh);
      expect(brief(messages.map((message) => element('message', { message })))).toEqual(words);
    }
    await pipeline.shutdown();
  });
});
