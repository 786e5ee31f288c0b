/** The scribe worker in a real browser: turns in, transcripts and messages out, at what speed. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FloorWords } from '../../../src/audio/floor.ts';
import {
  type ElementOf,
  type Kind,
  type StreamElement,
  element,
  messageText,
} from '../../../src/core/element.ts';
import { type WorkerStage, inWorker } from '../../../src/core/stage/remote-stage.ts';
import { runOn, testContext } from '../../../src/testing/stage-context.ts';
import { type Clip, fixtureClips, modelFiles } from './fixtures.ts';

const makeWorker = (): Worker =>
  new Worker(new URL('../../../workers/scribe.ts', import.meta.url), { type: 'module' });

const embedded = { engine: 'ctc', model: modelFiles };
let clips: Clip[];
let scribe: WorkerStage | undefined;

beforeAll(async () => {
  clips = await fixtureClips();
});
afterEach(() => {
  scribe?.close();
  scribe = undefined;
});

const clipOf = (name: string): Clip => {
  const clip = clips.find((each) => each.name === name);
  if (clip === undefined) throw new Error(`no clip ${name}`);
  return clip;
};

/** What ears makes of a clip: its audio, its utterance and the end of the turn. */
function* turnOf(samples: Float32Array, turn: number, from: number): Generator<StreamElement> {
  const sampleRate = 16_000;
  const length = (samples.length * 1000) / sampleRate;
  const facts = { turn, at: from, source: 'audio-turn' };
  yield element('speech-start', facts);
  for (let at = 0; at < samples.length; at += 512)
    yield element('audio', { ...facts, sampleRate, samples: samples.slice(at, at + 512) });
  yield element('speech-end', { ...facts, misfire: false });
  yield element('utterance', {
    ...facts,
    sampleRate,
    samples: samples.slice(),
    speechStart: from,
    speechEnd: from + length,
  });
  yield element('turn-end', facts);
}

const only = <K extends Kind>(elements: readonly StreamElement[], kind: K): ElementOf<K>[] =>
  elements.filter((each): each is ElementOf<K> => each.kind === kind);

describe('the scribe worker', () => {
  it('writes down a turn: transcript, message, end, with words on the capture clock', async () => {
    scribe = inWorker(makeWorker, 'scribe', embedded);
    const { samples, text } = clipOf('domain-1.wav');
    const outputs = await runOn(scribe, turnOf(samples, 4, 10_000));
    const finals = only(outputs, 'transcript').filter(({ final }) => final);
    expect(finals).toMatchObject([{ turn: 4, text, source: 'stt' }]);
    const { words = [], confidence = 0 } = finals[0] ?? {};
    expect(words[0]?.start).toBeGreaterThan(10_000);
    expect(words.at(-1)?.end).toBeLessThan(10_000 + (samples.length * 1000) / 16_000 + 1);
    expect(confidence).toBeGreaterThan(0.6);
    const kinds = outputs.map(({ kind }) => kind).filter((kind) => kind !== 'transcript');
    expect(kinds).toEqual(['speech-start', 'speech-end', 'message', 'turn-end']);
    const [said] = only(outputs, 'message');
    expect(said && messageText(said.message)).toBe(text);
    expect(outputs.indexOf(said as StreamElement)).toBe(
      outputs.indexOf(finals[0] as StreamElement) + 1,
    );
  });

  it('keeps its model from run to run, though each has a words port of its own', async () => {
    const told: FloorWords[] = [];
    const withPort = (): object => {
      const { port1, port2 } = new MessageChannel();
      port2.onmessage = ({ data }: MessageEvent<FloorWords>) => told.push(data);
      return { ...embedded, words: port1 };
    };
    scribe = inWorker(makeWorker, 'scribe', withPort, { keepAlive: true });
    const { samples, text } = clipOf('domain-0.wav');
    const loads: number[] = [];
    for (const run of [1, 2]) {
      const context = testContext();
      const outputs = await runOn(scribe, turnOf(samples, run, 0), context);
      expect(only(outputs, 'message')).toHaveLength(1);
      loads.push(context.events.filter(({ type }) => type === 'progress').length);
    }
    expect(loads[0]).toBeGreaterThan(3);
    expect(loads[1]).toBe(0);
    const lasts = told.filter(({ final }) => final);
    expect(lasts).toMatchObject([
      { type: 'words', turn: 1, text },
      { type: 'words', turn: 2, text },
    ]);
  });

  it('ends a turn of noise without words', async () => {
    scribe = inWorker(makeWorker, 'scribe', embedded);
    const outputs = await runOn(scribe, turnOf(clipOf('noise.wav').samples, 1, 0));
    expect(only(outputs, 'message')).toEqual([]);
    expect(only(outputs, 'transcript')).toMatchObject([{ text: '', final: true }]);
    expect(outputs.at(-1)).toMatchObject({ kind: 'turn-end' });
  });

  it('is fast: the real-time factor is printed', async () => {
    scribe = inWorker(makeWorker, 'scribe', { ...embedded, interims: false });
    const speech = clips.filter(({ text }) => text !== '');
    let startedAt = 0;
    let audioMs = 0;
    const input = async function* (): AsyncGenerator<StreamElement> {
      startedAt = performance.now();
      for (const [index, { samples }] of speech.entries()) {
        audioMs += (samples.length * 1000) / 16_000;
        yield* [...turnOf(samples, index + 1, 0)].filter(({ kind }) => kind !== 'audio');
      }
    };
    const outputs = await runOn(scribe, input());
    const factor = (performance.now() - startedAt) / audioMs;
    expect(only(outputs, 'turn-end')).toHaveLength(speech.length);
    console.info(
      `real-time factor in the scribe worker, decoding included: ${factor.toFixed(4)} (${speech.length} utterances, ${(audioMs / 1000).toFixed(1)} s)`,
    );
  });

  it.each([
    ['an engine it does not have', { engine: 'parrot' }, 'invalid-argument'],
    ['a model that is not there', { engine: 'ctc', model: '/models/nothing' }, 'model-load'],
    [
      'a library that is not there',
      { engine: 'transformers', model: 'm', library: '/nothing.js' },
      'unsupported',
    ],
  ])('fails the run for %s', async (_what, options, code) => {
    scribe = inWorker(makeWorker, 'scribe', options);
    await expect(runOn(scribe, [])).rejects.toMatchObject({
      code,
      hint: expect.stringMatching(/\w/),
    });
  });
});
